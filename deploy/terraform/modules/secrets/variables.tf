variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts them."
  type        = string
}

variable "graph" {
  description = "Where the graph is kept: postgres, aura or ec2. Aura's password comes from people, that of ec2 is made here."
  type        = string
  default     = "postgres"
}

variable "write_passwords" {
  description = "true: make passwords and write them. false: touch none, for a plan that may not read secrets and is never applied; no difference comes of it."
  type        = bool
  default     = true
}

variable "passwords_version" {
  description = "A higher number makes new passwords for API, Flower, Redis and PostgreSQL, and writes them. Roll all services over afterwards."
  type        = number
  default     = 1
}

variable "recovery_days" {
  description = "How long a deleted secret can be brought back, in days; its name is taken for so long."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "recovery_days must be 7 to 30."
  }
}
