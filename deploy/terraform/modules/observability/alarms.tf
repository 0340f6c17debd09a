# When a person is told. Each description says what to look at first.

locals {
  ours = "LightRAGFleet"

  fleet_alarms = merge(
    {
      beat-silent = {
        description = "Beat told nothing about the queue commit for 5 minutes: lost work is not found, and autoscaling sees nothing. It tells nothing, too, while Redis or Aurora does not answer. Look at the logs of beat."
        namespace   = local.ours, metric = "BacklogPerTask", dimensions = { Installation = var.installation, Queue = "commit" }
        statistic   = "SampleCount", period = 60, periods = 5, operator = "LessThanThreshold", threshold = 1
        missing     = var.running ? "breaching" : "notBreaching"
      }
      failures = {
        description = "More than ${var.thresholds.failures} tasks were given up in 15 minutes. `ragfleet tasks --state failed` shows why."
        namespace   = local.ours, metric = "Failures", dimensions = { Installation = var.installation }
        statistic   = "Sum", period = 900, periods = 1, operator = "GreaterThanThreshold", threshold = var.thresholds.failures
      }
    },
    {
      for queue in var.queues : "${queue}-waits" => {
        description = "Work in the queue ${queue} is older than ${var.thresholds.oldest_task_age_s} s. Look whether its workers run, and whether model and stores answer."
        namespace   = local.ours, metric = "OldestTaskAge", dimensions = { Installation = var.installation, Queue = queue }
        statistic   = "Maximum", period = 60, periods = 5, operator = "GreaterThanThreshold", threshold = var.thresholds.oldest_task_age_s
      }
    },
  )

  load_balancers = var.api_load_balancer == null ? {} : { api = {
    LoadBalancer = var.api_load_balancer.arn_suffix
    TargetGroup  = var.api_load_balancer.target_group_arn_suffix
  } }

  api_alarms = merge([
    for name, dimensions in local.load_balancers : {
      "${name}-slow" = {
        description = "Of 20 answers one took longer than ${var.thresholds.p95_latency_s} s to begin. Look at the model's limits, then at Aurora's ACU."
        namespace   = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = dimensions
        percentile  = "p95", period = 300, periods = 3, operator = "GreaterThanThreshold", threshold = var.thresholds.p95_latency_s
      }
      "${name}-unhealthy" = {
        description = "No task of the API answers. Look at its logs and at the events of its service."
        namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = dimensions
        statistic   = "Minimum", period = 60, periods = 3, operator = "LessThanThreshold", threshold = 1
        missing     = var.running ? "breaching" : "notBreaching"
      }
    }
  ]...)

  redis_alarms = merge([
    for name, node in var.redis_node_ids : {
      "redis-${name}-memory" = {
        description = "Redis is 75 % full. It removes nothing by itself (noeviction): at 100 % nothing can be written. Take larger nodes."
        namespace   = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }
        statistic   = "Maximum", period = 300, periods = 2, operator = "GreaterThanThreshold", threshold = 75
      }
      "redis-${name}-evictions" = {
        description = "Redis removed data to make room, so documents are lost: its parameter group must say noeviction."
        namespace   = "AWS/ElastiCache", metric = "Evictions", dimensions = { CacheClusterId = node }
        statistic   = "Sum", period = 300, periods = 1, operator = "GreaterThanThreshold", threshold = 0
      }
    }
  ]...)

  aurora_alarms = merge([
    for aurora in var.aurora[*] : {
      aurora-connections = {
        description = "Aurora has 80 % of the connections that it allows. Lower the workers' number, or raise its smallest ACU."
        namespace   = "AWS/RDS", metric = "DatabaseConnections", dimensions = { DBClusterIdentifier = aurora.cluster_id }
        statistic   = "Maximum", period = 300, periods = 2, operator = "GreaterThanThreshold", threshold = floor(aurora.max_connections * 0.8)
      }
      aurora-capacity = {
        description = "Aurora is at 90 % of its largest size. Raise its largest ACU."
        namespace   = "AWS/RDS", metric = "ACUUtilization", dimensions = { DBClusterIdentifier = aurora.cluster_id }
        statistic   = "Average", period = 300, periods = 3, operator = "GreaterThanThreshold", threshold = 90
      }
      aurora-storage = {
        description = "Aurora keeps more than ${aurora.max_storage_gib} GiB. It grows by itself, and so does the bill."
        namespace   = "AWS/RDS", metric = "VolumeBytesUsed", dimensions = { DBClusterIdentifier = aurora.cluster_id }
        statistic   = "Maximum", period = 3600, periods = 1, operator = "GreaterThanThreshold", threshold = aurora.max_storage_gib * 1024 * 1024 * 1024
      }
    }
  ]...)

  nat_alarms = merge([
    for zone, id in var.nat_gateway_ids : {
      for metric, told in {
        ErrorPortAllocation = "has no ports left for new connections"
        PacketsDropCount    = "drops packets"
        } : "nat-${zone}-${metric}" => {
        description = "The NAT gateway of ${zone} ${told}: models cannot be reached. Look at AWS's health page, and whether LLM_MAX_CONCURRENCY is too high."
        namespace   = "AWS/NATGateway", metric = metric, dimensions = { NatGatewayId = id }
        statistic   = "Sum", period = 300, periods = 1, operator = "GreaterThanThreshold", threshold = 0
      }
    }
  ]...)

  alarms = merge(local.fleet_alarms, local.api_alarms, local.redis_alarms, local.aurora_alarms, local.nat_alarms)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.percentile, null)
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A share, so that one failure at night wakes nobody.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.load_balancers

  alarm_name          = "${var.name}-${each.key}-errors"
  alarm_description   = "More than ${var.thresholds.errors_percent} % of at least 20 requests in 5 minutes were answered with 5xx. Look at the API's logs for the request's id."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.thresholds.errors_percent
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    expression  = "IF(requests >= 20, 100 * (FILL(theirs, 0) + FILL(ours, 0)) / requests, 0)"
    label       = "Share of 5xx"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      requests = "RequestCount"
      theirs   = "HTTPCode_ELB_5XX_Count"
      ours     = "HTTPCode_Target_5XX_Count"
    }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        period      = 300
        stat        = "Sum"
        dimensions  = { LoadBalancer = each.value.LoadBalancer }
      }
    }
  }
}
