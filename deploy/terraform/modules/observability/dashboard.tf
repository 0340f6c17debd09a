# One page to look at first: is work done, are questions answered, are the stores well.

data "aws_region" "current" {}

locals {
  graphs = concat(
    [
      { title = "Messages for each worker", metrics = [for queue in var.queues : [local.ours, "BacklogPerTask", "Installation", var.installation, "Queue", queue]] },
      { title = "Oldest task (s)", metrics = [for queue in var.queues : [local.ours, "OldestTaskAge", "Installation", var.installation, "Queue", queue]] },
      { title = "Failures, calls of models", metrics = [for metric in ["Failures", "LlmCalls"] : [local.ours, metric, "Installation", var.installation]], stat = "Sum" },
      { title = "Tokens of models", metrics = [[local.ours, "LlmTokens", "Installation", var.installation]], stat = "Sum" },
    ],
    flatten([for dimensions in values(local.load_balancers) : [
      { title = "Requests and 5xx", metrics = [for metric in ["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", dimensions.LoadBalancer]], stat = "Sum" },
      { title = "Time to an answer, p95 (s)", metrics = [["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", dimensions.LoadBalancer]], stat = "p95" },
    ]]),
    [
      { title = "CPU of the services (%)", metrics = [for service in var.services : ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", service]] },
      { title = "Memory of the services (%)", metrics = [for service in var.services : ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", service]] },
    ],
    length(var.redis_node_ids) == 0 ? [] : [
      { title = "Memory of Redis (%)", metrics = [for node in values(var.redis_node_ids) : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", node]], stat = "Maximum" },
    ],
    flatten([for aurora in var.aurora[*] : [
      { title = "Aurora's size (ACU)", metrics = [["AWS/RDS", "ServerlessDatabaseCapacity", "DBClusterIdentifier", aurora.cluster_id]] },
      { title = "Connections to Aurora", metrics = [["AWS/RDS", "DatabaseConnections", "DBClusterIdentifier", aurora.cluster_id]], stat = "Maximum" },
    ]]),
    length(var.nat_gateway_ids) == 0 ? [] : [
      { title = "Bytes out through NAT", metrics = [for id in values(var.nat_gateway_ids) : ["AWS/NATGateway", "BytesOutToDestination", "NatGatewayId", id]], stat = "Sum" },
    ],
  )

  # Three in a row, 24 columns wide, below the alarms.
  widgets = [
    for index, graph in local.graphs : {
      type   = "metric"
      x      = index % 3 * 8
      y      = 3 + floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = graph.title
        region  = data.aws_region.current.region
        metrics = graph.metrics
        stat    = try(graph.stat, "Average")
        period  = 60
        view    = "timeSeries"
      }
    }
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm", x = 0, y = 0, width = 24, height = 3
        properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn] }
      }],
      local.widgets,
    )
  })
}
