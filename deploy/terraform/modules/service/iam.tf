# Two roles: ECS itself fetches image and secrets and writes logs; the process has what it is given.

locals {
  assumed_by_ecs = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      # Of this account alone, so that nobody else's cluster can be talked into using the role.
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  execution_statements = concat(
    [
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      },
    ],
    local.repository == null ? [] : [
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # the action knows no resources
      },
      {
        Sid      = "PullImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = ["arn:${local.partition}:ecr:${local.repository[1]}:${local.repository[0]}:repository/${local.repository[2]}"]
      },
    ],
    length(local.secret_arns) == 0 ? [] : [
      {
        Sid      = "ReadSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = local.secret_arns
      },
    ],
    length(local.secret_arns) == 0 || var.secrets_key_arn == null ? [] : [
      {
        Sid      = "DecryptSecrets"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.secrets_key_arn]
      },
    ],
  )

  task_policies = merge(
    var.task_policies,
    # What worker/ecs asks the agent for, the agent asks ECS for with the task's role.
    !local.is_worker ? {} : {
      scale-in-protection = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Sid      = "SpareItselfWhileItWorks"
          Effect   = "Allow"
          Action   = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
          Resource = ["arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.cluster.name}/*"]
        }]
      })
    },
    var.publishes_metrics_in == null ? {} : {
      metrics = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Sid       = "WriteItsOwnMetrics"
          Effect    = "Allow"
          Action    = ["cloudwatch:PutMetricData"]
          Resource  = ["*"] # the action knows no resources
          Condition = { StringEquals = { "cloudwatch:namespace" = var.publishes_metrics_in } }
        }]
      })
    },
  )
}

resource "aws_iam_role" "execution" {
  name               = "${local.full_name}-execution"
  description        = "ECS starts ${local.full_name} with this."
  assume_role_policy = local.assumed_by_ecs
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.execution_statements })
}

resource "aws_iam_role" "task" {
  name               = "${local.full_name}-task"
  description        = "The process ${local.full_name} runs with this."
  assume_role_policy = local.assumed_by_ecs
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_policies

  name   = each.key
  role   = aws_iam_role.task.id
  policy = each.value
}
