variable "name" {
  description = "What everything of this installation begins with, such as ragfleet-small."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "name has 2 to 28 characters of a-z, 0-9 and -; a load balancer's name has 32 at most."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "vpc_cidr" {
  description = "The addresses of the VPC: where the load balancer finds the API."
  type        = string
}

variable "public_subnet_ids" {
  description = "Public subnets, in two availability zones."
  type        = list(string)
  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "A load balancer needs subnets in two availability zones."
  }
}

variable "certificate_arn" {
  description = "The certificate in ACM, in this region, for the name that clients use."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(acm|iam):", var.certificate_arn))
    error_message = "certificate_arn is the ARN of a certificate in ACM; without one there is no HTTPS, and nothing else is offered."
  }
}

variable "tls_policy" {
  description = "Which versions and ciphers of TLS are spoken: 1.3, and 1.2 for those who cannot do better."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  validation {
    condition     = startswith(var.tls_policy, "ELBSecurityPolicy-TLS13-1-2-") || startswith(var.tls_policy, "ELBSecurityPolicy-TLS13-1-3-")
    error_message = "tls_policy is one of ELBSecurityPolicy-TLS13-1-2-… or ELBSecurityPolicy-TLS13-1-3-…."
  }
}

variable "allowed_cidrs" {
  description = "Who may connect at all."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "own_addresses" {
  description = "By what addresses our own tasks come, by any name: after a rollover one of them asks the API by its public name."
  type        = map(string)
  default     = {}
}

variable "api_port" {
  description = "The port of the API's containers."
  type        = number
  default     = 8000
}

variable "health_check_path" {
  description = "What the load balancer asks each task. Not /readyz: ECS replaces a task whose target is unhealthy, and while a store is away that would be every task, again and again."
  type        = string
  default     = "/livez"
  validation {
    condition     = var.health_check_path != "/readyz"
    error_message = "health_check_path is not /readyz: a store that is away would make ECS replace every task of the API again and again."
  }
}

variable "idle_timeout_s" {
  description = "How long a connection may be silent. Longer than LLM_TIMEOUT_S: an answer may take that long to begin."
  type        = number
  default     = 300
  validation {
    condition     = var.idle_timeout_s > 180 && var.idle_timeout_s <= 4000
    error_message = "idle_timeout_s is more than 180 (LLM_TIMEOUT_S) and at most 4000."
  }
}

variable "deregistration_delay_s" {
  description = "How long a task that is going away may finish its answers; only then it gets SIGTERM, and what still runs is cut off. Longer than LLM_TIMEOUT_S."
  type        = number
  default     = 200
  validation {
    condition     = var.deregistration_delay_s > 180 && var.deregistration_delay_s <= 600
    error_message = "deregistration_delay_s is more than 180 (LLM_TIMEOUT_S), and at most 600, or a rollover waits too long for the API."
  }
}

variable "rate_limit_per_5_minutes" {
  description = "How many requests one address may make in five minutes before it is refused."
  type        = number
  default     = 2000
  validation {
    condition     = var.rate_limit_per_5_minutes >= 100
    error_message = "rate_limit_per_5_minutes is at least 100, for a client that polls its tasks makes as many."
  }
}

variable "upload_path" {
  description = "Where documents are uploaded. What is in them is text about anything, so the rules that look for attacks in bodies do not look there."
  type        = string
  default     = "/insert"
}

variable "access_log_retention_days" {
  description = "How long the load balancer's access logs are kept."
  type        = number
  default     = 90
}

variable "waf_log_retention_days" {
  description = "How long the log of refused requests is kept."
  type        = number
  default     = 30
}

variable "log_key_arn" {
  description = "The KMS key for the log of refused requests; null: CloudWatch's own."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer, and keep its logs when it goes."
  type        = bool
  default     = true
}

variable "domain" {
  description = "The name of the API and its hosted zone in Route 53; without zone_id the name is somewhere else."
  type        = object({ name = string, zone_id = optional(string) })
  default     = null
}
