# The ECS cluster, and where what it does is written down.

resource "aws_ecs_cluster" "this" {
  # checkov:skip=CKV_AWS_65:they cost by their number; the profile of a small team leaves them out
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  # Made first, or Container Insights makes it, and keeps everything for ever.
  depends_on = [aws_cloudwatch_log_group.container_insights]
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_cloudwatch_log_group" "container_insights" {
  # checkov:skip=CKV_AWS_338:how long it is kept is a variable; logs cost by the month
  name              = "/aws/ecs/containerinsights/${var.name}/performance"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
