variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "cloudtrail" {
  description = "true: write down every call to AWS's API. false where the account or organisation does so already."
  type        = bool
  default     = true
}

variable "guardduty" {
  description = "true: look for attacks. false where the account has a detector already: it can have only one."
  type        = bool
  default     = true
}

variable "trail_retention_days" {
  description = "How long the calls are kept, in days."
  type        = number
  default     = 365
}

variable "create_github_provider" {
  description = "true: make GitHub's identity provider. false where the account has it already: it can have only one."
  type        = bool
  default     = true
}

variable "github_repository" {
  description = "The repository whose workflows may act here, such as owner/name. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[\\w.-]+/[\\w.-]+$", var.github_repository))
    error_message = "github_repository must be owner/name, without stars: a star would let others in."
  }
}

variable "github_environment" {
  description = "The environment of that repository whose approval guards changes."
  type        = string
  default     = "production"
}

variable "github_branch" {
  description = "The branch whose images may be pushed."
  type        = string
  default     = "main"
}

variable "state_bucket" {
  description = "The bucket of Terraform's state, from bootstrap. null: no role may read it."
  type        = string
  default     = null
}

variable "state_kms_key_arn" {
  description = "The key of that bucket, from bootstrap."
  type        = string
  default     = null
}
