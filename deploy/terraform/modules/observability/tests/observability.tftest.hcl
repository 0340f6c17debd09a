# What is watched, and who is told; AWS is not asked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/fleet" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fleet-alarms" }
  }
}

variables {
  name               = "fleet"
  monthly_budget_usd = 150
  alarm_emails       = ["on-call@example.com"]
  api_load_balancer  = { arn_suffix = "app/fleet/1", target_group_arn_suffix = "targetgroup/fleet/2" }
  redis_node_ids     = { "001" = "fleet-001", "002" = "fleet-002" }
  aurora             = { cluster_id = "fleet", max_connections = 2000 }
  nat_gateway_ids    = { a = "nat-1" }
}

run "everything_that_can_go_wrong_has_an_alarm" {
  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "beat-silent", "failures", "prepare-waits", "extract-waits", "commit-waits",
      "api-slow", "api-unhealthy",
      "redis-001-memory", "redis-001-evictions", "redis-002-memory", "redis-002-evictions",
      "aurora-connections", "aurora-capacity", "aurora-storage",
      "nat-a-ErrorPortAllocation", "nat-a-PacketsDropCount",
    ]) && keys(aws_cloudwatch_metric_alarm.errors) == ["api"]
    error_message = "An alarm is missing, or there is one that nobody listed."
  }
  assert {
    condition = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), values(aws_cloudwatch_metric_alarm.errors)) : (
      alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:fleet-alarms"])
    )])
    error_message = "Each alarm is told."
  }
  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : (alarm.statistic == null) != (alarm.extended_statistic == null)])
    error_message = "Each alarm has one statistic."
  }
}

run "silence_is_an_alarm_where_somebody_should_speak" {
  assert {
    condition = toset([for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data == "breaching"]) == toset([
      "beat-silent", "api-unhealthy"
    ])
    error_message = "Beat and the API have to be heard of."
  }
}

run "nobody_has_to_speak_in_a_fleet_that_does_not_run" {
  variables {
    running = false
  }
  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : alarm.treat_missing_data == "notBreaching"])
    error_message = "Nothing is expected."
  }
}

run "redis_is_told_of_before_it_is_full" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["redis-001-memory"].threshold == 75 && aws_cloudwatch_metric_alarm.this["redis-001-evictions"].threshold == 0
    error_message = "75 % and no eviction."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["aurora-connections"].threshold == 1600
    error_message = "80 % of the connections."
  }
}

run "the_budget_is_told_when_most_of_it_is_spent" {
  assert {
    condition = aws_budgets_budget.monthly.limit_amount == "150" && { for notification in aws_budgets_budget.monthly.notification : notification.notification_type => notification.threshold } == {
      ACTUAL = 80, FORECASTED = 100
    }
    error_message = "80 % spent, or 100 % forecast."
  }
  assert {
    condition     = keys(aws_sns_topic_subscription.email) == ["on-call@example.com"]
    error_message = "The address is subscribed."
  }
  assert {
    condition     = jsondecode(aws_sns_topic_policy.alarms.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Only services of this account publish."
  }
}

run "a_version_that_was_taken_back_is_told" {
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.deployment_failed.event_pattern).resources == [{ prefix = "arn:aws:ecs:eu-central-1:123456789012:service/fleet/" }]
    error_message = "Services of this cluster alone."
  }
}

run "the_dashboard_fits_and_shows_every_queue" {
  assert {
    condition = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24]) && alltrue([
      for queue in ["prepare", "extract", "commit"] : strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "\"BacklogPerTask\",\"Installation\",\"ragfleet\",\"Queue\",\"${queue}\"")
    ])
    error_message = "24 columns, and the backlog of each queue."
  }
}

run "spot_can_be_used" {
  assert {
    condition     = toset(aws_ecs_cluster_capacity_providers.this.capacity_providers) == toset(["FARGATE", "FARGATE_SPOT"])
    error_message = "Services may name both."
  }
}

run "a_cluster_alone_has_the_alarms_of_the_fleet" {
  variables {
    api_load_balancer = null
    redis_node_ids    = {}
    aurora            = null
    nat_gateway_ids   = {}
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 5 && length(aws_cloudwatch_metric_alarm.errors) == 0
    error_message = "Beat, failures and three queues."
  }
}
