output "service_name" {
  description = "The name of the ECS service; null for a one-off task."
  value       = one(aws_ecs_service.this[*].name)
}

output "task_definition_arn" {
  description = "The newest revision of the task definition."
  value       = aws_ecs_task_definition.this.arn
}

output "security_group_id" {
  description = "The security group of the tasks: what stores let in."
  value       = aws_security_group.this.id
}

output "run_task" {
  description = "What `aws ecs run-task` wants for a one-off task."
  value = {
    cluster         = var.cluster.name
    task_definition = aws_ecs_task_definition.this.arn
    container       = var.service
    launch_type     = "FARGATE"
    network_configuration = {
      awsvpcConfiguration = {
        subnets        = var.subnet_ids
        securityGroups = [aws_security_group.this.id]
        assignPublicIp = "DISABLED"
      }
    }
  }
}
