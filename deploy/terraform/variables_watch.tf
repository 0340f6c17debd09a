# ── Network, watch, money and GitHub ─────────────────────────────────────────────────────────────

variable "nat_gateway_per_zone" {
  description = "true: one NAT gateway in each zone, so that a zone's end leaves the other its way out."
  type        = bool
  default     = false
}

variable "nat_instance_type" {
  description = "One small machine in place of a NAT gateway, such as t4g.nano. null: a gateway."
  type        = string
  default     = null
}

variable "interface_endpoints" {
  description = "true: ECR, logs and Secrets Manager are reached inside the VPC."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 30
}

variable "container_insights" {
  description = "Metrics of each task: enhanced, enabled or disabled. They cost by their number."
  type        = string
  default     = "disabled"
}

variable "installation" {
  description = "CLOUDWATCH_INSTALLATION: what tells this installation's metrics from another one's."
  type        = string
  default     = "ragfleet"
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget; each address has to confirm once."
  type        = list(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What a month may cost."
  type        = number
}

variable "cloudtrail" {
  description = "false where the account has a trail already."
  type        = bool
  default     = true
}

variable "guardduty" {
  description = "false where the account has a detector already."
  type        = bool
  default     = true
}

variable "github_repository" {
  description = "owner/name whose workflows may act here; wants state_bucket and domain. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || (var.state_bucket != null && var.domain != null)
    error_message = "github_repository wants state_bucket, where a workflow finds the state, and domain, by whose name it asks the new version something."
  }
}

variable "create_github_provider" {
  description = "false where the account has GitHub's identity provider already."
  type        = bool
  default     = true
}

variable "state_bucket" {
  description = "The bucket of the state, from bootstrap, for the roles of GitHub's workflows."
  type        = string
  default     = null
}

variable "state_kms_key_arn" {
  description = "Its key."
  type        = string
  default     = null
}
