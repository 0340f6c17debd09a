# One kind of process on ECS Fargate: what it is, and the service that keeps it running.

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:how long it is kept is a variable; logs cost by the month
  name              = "/ecs/${var.name}/${var.service}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_key_arn
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.full_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.cpu)
  memory                   = tostring(var.memory_mib)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode([local.container])
  # Older revisions stay, or there would be nothing to go back to.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  ephemeral_storage {
    size_in_gib = var.ephemeral_gib
  }

  # An empty disk of the task, gone with it.
  volume {
    name = "data"
  }
}

# Autoscaling changes the number of tasks, so an apply leaves it alone; what a person decides about
# it makes a new service.
resource "terraform_data" "count" {
  input = jsonencode({
    running = var.running
    fixed   = var.autoscaling == null ? var.desired_count : null
  })
}

resource "aws_ecs_service" "this" {
  count = local.one_off ? 0 : 1

  name                   = var.service
  cluster                = var.cluster.arn
  task_definition        = aws_ecs_task_definition.this.arn
  desired_count          = var.running ? try(var.autoscaling.min, var.desired_count) : 0
  platform_version       = "LATEST"
  enable_execute_command = false
  propagate_tags         = "SERVICE"

  deployment_minimum_healthy_percent = local.kind.deployment.minimum_healthy_percent
  deployment_maximum_percent         = local.kind.deployment.maximum_percent
  health_check_grace_period_seconds  = var.load_balancer == null ? null : local.kind.health.start_period_s

  # A version that does not become healthy is taken back by itself.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot.enabled ? { FARGATE_SPOT = 1, FARGATE = 0 } : { FARGATE = 1 }
    content {
      capacity_provider = capacity_provider_strategy.key
      weight            = capacity_provider_strategy.value
      base              = var.spot.enabled && capacity_provider_strategy.key == "FARGATE" ? var.spot.on_demand_base : 0
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = var.load_balancer == null ? [] : [var.load_balancer]
    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = var.service
      container_port   = load_balancer.value.port
    }
  }

  # Without them the first tasks fail, and the circuit breaker counts that.
  depends_on = [
    aws_iam_role_policy.execution, aws_iam_role_policy.task,
    aws_vpc_security_group_ingress_rule.this, aws_vpc_security_group_egress_rule.this,
  ]

  lifecycle {
    # A deployment moves services to the new revision one after the other, after init has run.
    ignore_changes       = [desired_count, task_definition]
    replace_triggered_by = [terraform_data.count]
  }
}
