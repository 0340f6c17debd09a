variable "name" {
  description = "What everything of this installation begins with, such as ragfleet-small."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name has 2 to 31 characters of a-z, 0-9 and -, and begins with a letter."
  }
}

variable "service" {
  description = "Which of the processes this is."
  type        = string
  validation {
    condition     = contains(["api", "worker-prepare", "worker-extract", "worker-commit", "beat", "flower", "init"], var.service)
    error_message = "service is one of api, worker-prepare, worker-extract, worker-commit, beat, flower, init."
  }
}

variable "cluster" {
  description = "The ECS cluster."
  type        = object({ arn = string, name = string })
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two availability zones."
  type        = list(string)
}

# ── What runs ────────────────────────────────────────────────────────────────────────────────────

variable "image" {
  description = "The image by its digest, so that what was scanned is what runs."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image ends with @sha256: and 64 hexadecimal digits; a tag may change its meaning."
  }
}

variable "user" {
  description = "The user inside the container, as uid:gid."
  type        = string
  default     = "10001:10001"
  validation {
    condition     = can(regex("^[1-9][0-9]*:[1-9][0-9]*$", var.user))
    error_message = "user is uid:gid in numbers, and neither is 0."
  }
}

variable "environment" {
  description = "Settings that are no secrets; those about folders are made here."
  type        = map(string)
  default     = {}
  validation {
    condition = alltrue([
      for variable in keys(var.environment) : !can(regex("(PASSWORD|API_KEY|SECRET|TOKEN|OTLP_HEADERS)$", variable))
    ])
    error_message = "A password or key stands in environment; put it into secrets, as the ARN of a secret."
  }
}

variable "secrets" {
  description = "Settings that are secrets: variable => ARN in Secrets Manager, with :json-key:: where it holds several."
  type        = map(string)
  default     = {}
  validation {
    condition = alltrue([
      for arn in values(var.secrets) : can(regex("^arn:[a-z-]+:secretsmanager:[^:]*:[^:]*:secret:", arn))
    ])
    error_message = "Each of secrets is the ARN of a secret in Secrets Manager."
  }
}

variable "secrets_key_arn" {
  description = "The KMS key that the secrets are encrypted with; null: Secrets Manager's own."
  type        = string
  default     = null
}

variable "log_key_arn" {
  description = "The KMS key for the logs; null: CloudWatch's own."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 … days."
  }
}

variable "data_dir" {
  description = "The one folder that can be written to, and the folder for temporary files; gone when the task ends, for uploads are in S3."
  type        = string
  default     = "/data"
}

variable "ephemeral_gib" {
  description = "The size of the disk behind data_dir. A worker wants PARSE_WORKERS x MAX_UPLOAD_BYTES free."
  type        = number
  default     = 21
  validation {
    condition     = var.ephemeral_gib >= 21 && var.ephemeral_gib <= 200
    error_message = "ephemeral_gib is 21 to 200."
  }
}

variable "stop_timeout_s" {
  description = "What a container gets between SIGTERM and SIGKILL: more than what a worker lets its tasks go on for (5 s) and 5 s to hand them back."
  type        = number
  default     = 60
  validation {
    condition     = var.stop_timeout_s > 10 && var.stop_timeout_s <= 120
    error_message = "stop_timeout_s is more than 10 (drain and 5 s) and at most 120 (Fargate's limit)."
  }
}

# ── How large, how many ──────────────────────────────────────────────────────────────────────────

variable "cpu" {
  description = "CPU units; 1024 are one vCPU."
  type        = number
}

variable "memory_mib" {
  description = "Memory in MiB."
  type        = number
  validation {
    # What Fargate sells up to 4 vCPU.
    condition = try(contains({
      "256"  = [512, 1024, 2048]
      "512"  = range(1024, 4097, 1024)
      "1024" = range(2048, 8193, 1024)
      "2048" = range(4096, 16385, 1024)
      "4096" = range(8192, 30721, 1024)
    }[tostring(var.cpu)], var.memory_mib), false)
    error_message = "Fargate has no size with this memory for this cpu."
  }
}

variable "architecture" {
  description = "What the image was built for."
  type        = string
  default     = "X86_64"
  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "architecture is X86_64 or ARM64."
  }
}

variable "running" {
  description = "False: no tasks, such as before the secrets have values, or while the fleet runs elsewhere. To change it replaces the service."
  type        = bool
  default     = true
}

variable "desired_count" {
  description = "How many tasks without autoscaling. To change it replaces the service."
  type        = number
  default     = 1
}

variable "spot" {
  description = "Run on Fargate Spot, which is cheaper and may be taken away with two minutes' notice; `on_demand_base` tasks do not."
  type        = object({ enabled = bool, on_demand_base = optional(number, 0) })
  default     = { enabled = false }
}

variable "autoscaling" {
  description = <<-TEXT
    Null: the number of tasks is fixed. cpu_percent and memory_percent: what the tasks use on average.
    backlog: how many messages wait for each task, from the metric BacklogPerTask of this system.
    from_zero: also start the first task when something waits; wants min = 0 and backlog.
  TEXT
  type = object({
    min                = number
    max                = number
    cpu_percent        = optional(number)
    memory_percent     = optional(number)
    backlog            = optional(object({ queue = string, per_task = number, installation = string }))
    from_zero          = optional(bool, false)
    scale_in_cooldown  = optional(number, 300)
    scale_out_cooldown = optional(number, 60)
  })
  default = null
  validation {
    condition     = var.autoscaling == null ? true : var.autoscaling.min <= var.autoscaling.max && var.autoscaling.max >= 1
    error_message = "autoscaling.min is at most autoscaling.max."
  }
  validation {
    condition = var.autoscaling == null ? true : (
      (var.autoscaling.min == 0) == var.autoscaling.from_zero && (var.autoscaling.from_zero ? var.autoscaling.backlog != null : true)
    )
    error_message = "autoscaling.min = 0 wants from_zero and backlog, or nothing would ever start the first task; from_zero wants min = 0."
  }
  validation {
    condition = var.autoscaling == null ? true : try(var.autoscaling.backlog.queue, null) == null ? true : (
      contains(["prepare", "extract", "commit"], var.autoscaling.backlog.queue)
    )
    error_message = "autoscaling.backlog.queue is prepare, extract or commit."
  }
}

# ── Whom it talks to ─────────────────────────────────────────────────────────────────────────────

variable "load_balancer" {
  description = "The target group that sends requests; null: none."
  type        = object({ target_group_arn = string, port = number })
  default     = null
}

variable "ingress" {
  description = "Who may connect: a name => port and security group."
  type        = map(object({ port = number, security_group_id = string }))
  default     = {}
}

variable "egress" {
  description = "Whom it may connect to: a name => port and security group or addresses."
  type = map(object({
    port              = number
    security_group_id = optional(string)
    cidr              = optional(string)
  }))
  default = { https = { port = 443, cidr = "0.0.0.0/0" } }
  validation {
    condition     = alltrue([for rule in values(var.egress) : (rule.security_group_id == null) != (rule.cidr == null)])
    error_message = "Each of egress has either security_group_id or cidr."
  }
}

variable "task_policies" {
  description = "What the process itself may do on AWS: a name => policy in JSON."
  type        = map(string)
  default     = {}
}

variable "publishes_metrics_in" {
  description = "The CloudWatch namespace that this process writes metrics into; null: none."
  type        = string
  default     = null
}
