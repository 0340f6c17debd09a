variable "name" {
  description = "What everything of this installation begins with, such as ragfleet-small; also the name of the cluster."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name has 2 to 31 characters of a-z, 0-9 and -, and begins with a letter."
  }
}

variable "installation" {
  description = "CLOUDWATCH_INSTALLATION of the processes: the dimension Installation of their metrics."
  type        = string
  default     = "ragfleet"
}

variable "services" {
  description = "The names of the ECS services, for the dashboard."
  type        = list(string)
  default     = ["api", "worker-prepare", "worker-extract", "worker-commit", "beat"]
}

variable "queues" {
  description = "The queues whose waiting work is watched."
  type        = list(string)
  default     = ["prepare", "extract", "commit"]
}

variable "running" {
  description = "False: no tasks are meant to run, so nobody is told that beat is silent."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The KMS key for logs and notifications; null: none of one's own."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Metrics of each task and container: they cost by their number."
  type        = string
  default     = "enabled"
  validation {
    condition     = contains(["enhanced", "enabled", "disabled"], var.container_insights)
    error_message = "container_insights is enhanced, enabled or disabled."
  }
}

variable "log_retention_days" {
  description = "How long what Container Insights writes is kept."
  type        = number
  default     = 30
}

variable "alarm_emails" {
  description = "Who is told; each address has to confirm once."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What the account may cost in a month: told at 80 % of it spent, and when the month is forecast to go over it."
  type        = number
  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd is more than 0."
  }
}

variable "api_load_balancer" {
  description = "The dimensions of the load balancer; null: none."
  type        = object({ arn_suffix = string, target_group_arn_suffix = string })
  default     = null
}

variable "redis_node_ids" {
  description = "The ids of the ElastiCache nodes by a name that is known beforehand, such as 001."
  type        = map(string)
  default     = {}
}

variable "aurora" {
  description = "The Aurora cluster; null: none. max_connections is what its largest size allows."
  type        = object({ cluster_id = string, max_connections = number, max_storage_gib = optional(number, 100) })
  default     = null
}

variable "nat_gateway_ids" {
  description = "The NAT gateways by a name that is known beforehand, such as the zone."
  type        = map(string)
  default     = {}
}

variable "thresholds" {
  description = "When somebody is told."
  type = object({
    oldest_task_age_s = optional(number, 1800)
    failures          = optional(number, 5)
    errors_percent    = optional(number, 5)
    p95_latency_s     = optional(number, 30)
  })
  default = {}
}
