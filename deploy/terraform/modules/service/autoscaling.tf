# How many tasks: by what they use, or by what waits for them.

locals {
  scaled    = var.autoscaling == null || local.one_off || !var.running ? {} : { this = var.autoscaling }
  backlog   = { for key, scaling in local.scaled : key => scaling.backlog if scaling.backlog != null }
  from_zero = { for key, scaling in local.scaled : key => scaling.backlog if scaling.from_zero }

  predefined = merge([
    for scaling in values(local.scaled) : {
      for metric, percent in {
        ECSServiceAverageCPUUtilization    = scaling.cpu_percent
        ECSServiceAverageMemoryUtilization = scaling.memory_percent
      } : metric => percent if percent != null
    }
  ]...)

  # The names that beat publishes under; see the page about metrics.
  namespace = "LightRAGFleet"
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster.name}/${aws_ecs_service.this[0].name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
}

resource "aws_appautoscaling_policy" "utilisation" {
  for_each = local.predefined

  name               = "${local.full_name}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this["this"].service_namespace
  scalable_dimension = aws_appautoscaling_target.this["this"].scalable_dimension
  resource_id        = aws_appautoscaling_target.this["this"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value
    scale_in_cooldown  = var.autoscaling.scale_in_cooldown
    scale_out_cooldown = var.autoscaling.scale_out_cooldown

    predefined_metric_specification {
      predefined_metric_type = each.key
    }
  }
}

resource "aws_appautoscaling_policy" "backlog" {
  for_each = local.backlog

  name               = "${local.full_name}-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this["this"].service_namespace
  scalable_dimension = aws_appautoscaling_target.this["this"].scalable_dimension
  resource_id        = aws_appautoscaling_target.this["this"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.per_task
    scale_in_cooldown  = var.autoscaling.scale_in_cooldown
    scale_out_cooldown = var.autoscaling.scale_out_cooldown

    customized_metric_specification {
      namespace   = local.namespace
      metric_name = "BacklogPerTask"
      statistic   = "Average"

      dimensions {
        name  = "Installation"
        value = each.value.installation
      }
      dimensions {
        name  = "Queue"
        value = each.value.queue
      }
    }
  }
}

# Target tracking multiplies the number of tasks, and no factor makes 1 of 0. Messages that wait while
# none is in anybody's hands tell that there is nobody: a worker takes the first one at once.
resource "aws_appautoscaling_policy" "from_zero" {
  for_each = local.from_zero

  name               = "${local.full_name}-from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this["this"].service_namespace
  scalable_dimension = aws_appautoscaling_target.this["this"].scalable_dimension
  resource_id        = aws_appautoscaling_target.this["this"].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    # Longer than a task takes to start and be counted.
    cooldown = 180

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "from_zero" {
  for_each = local.from_zero

  alarm_name          = "${local.full_name}-from-zero"
  alarm_description   = "Something waits in the queue ${each.value.queue}, and there is nobody to do it: start one."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.from_zero[each.key].arn]

  metric_query {
    id          = "stranded"
    expression  = "IF(waiting > 0 AND unacked < 1, 1, 0)"
    label       = "Work without a worker"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { waiting = "Waiting", unacked = "Unacked" }
    content {
      id = metric_query.key
      metric {
        namespace   = local.namespace
        metric_name = metric_query.value
        period      = 60
        stat        = "Maximum"
        dimensions  = { Installation = each.value.installation, Queue = each.value.queue }
      }
    }
  }
}
