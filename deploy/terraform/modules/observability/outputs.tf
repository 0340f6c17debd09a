output "cluster" {
  description = "The ECS cluster."
  value       = { arn = aws_ecs_cluster.this.arn, name = aws_ecs_cluster.this.name }
  # Services name its capacity providers.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "topic_arn" {
  description = "Where alarms are told."
  value       = aws_sns_topic.alarms.arn
}

output "dashboard_name" {
  description = "The page to look at first."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
