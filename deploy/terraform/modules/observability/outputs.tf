output "cluster" {
  description = "The ECS cluster."
  value       = { arn = aws_ecs_cluster.this.arn, name = aws_ecs_cluster.this.name }
  # Services name its capacity providers.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "dashboard_name" {
  description = "The page to look at first."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
