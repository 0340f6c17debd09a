locals {
  full_name = "${var.name}-${var.service}"

  # arn:PARTITION:ecs:REGION:ACCOUNT:cluster/NAME
  arn_parts = split(":", var.cluster.arn)
  partition = local.arn_parts[1]
  region    = local.arn_parts[3]
  account   = local.arn_parts[4]

  repository = try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/(.+)@sha256:", var.image), null)

  # A secret's ARN has seven parts; what follows chooses a key inside it.
  secret_arns = distinct([for arn in values(var.secrets) : join(":", slice(split(":", arn), 0, 7))])

  is_worker = startswith(var.service, "worker-")

  ports = distinct(concat(
    var.load_balancer == null ? [] : [var.load_balancer.port],
    [for rule in values(var.ingress) : rule.port],
  ))

  environment = merge(
    { DATA_DIR = var.data_dir, HOME = var.data_dir, TMPDIR = var.data_dir },
    local.is_worker ? { WORKER_PULSE_FILE = local.pulse_file } : {},
    var.environment,
  )

  container = merge(
    {
      name      = var.service
      image     = var.image
      command   = local.kind.command
      essential = true
      user      = var.user

      readonlyRootFilesystem = true
      # As compose's `init`: what a parser leaves behind when it is killed is cleared away.
      linuxParameters = { capabilities = { drop = ["ALL"] }, initProcessEnabled = true }
      mountPoints     = [{ sourceVolume = "data", containerPath = var.data_dir, readOnly = false }]

      environment  = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
      secrets      = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
      portMappings = [for port in local.ports : { containerPort = port, protocol = "tcp" }]
      stopTimeout  = var.stop_timeout_s

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = local.region
          awslogs-stream-prefix = var.service
          # Rather lose lines than stop working while CloudWatch is away.
          mode            = "non-blocking"
          max-buffer-size = "25m"
        }
      }
    },
    local.kind.health == null ? {} : {
      healthCheck = {
        command     = local.kind.health.command
        interval    = local.kind.health.interval_s
        timeout     = local.kind.health.timeout_s
        retries     = local.kind.health.retries
        startPeriod = local.kind.health.start_period_s
      }
    },
  )
}
