variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "cidr" {
  description = "The addresses of the VPC. It is cut into sixteen parts: 0 and 1 are public, 8 and 9 private."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "cidr must be a network such as 10.20.0.0/16, no smaller than /20."
  }
}

variable "availability_zones" {
  description = "The two zones."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) == 2
    error_message = "availability_zones must name exactly two zones."
  }
}

variable "nat_gateway_per_zone" {
  description = "true: a NAT gateway in each zone. false: one for both, which is half the price and goes down with its zone."
  type        = bool
  default     = false
}

variable "nat_instance_type" {
  description = "One small machine in place of a NAT gateway, such as t4g.nano: a tenth of the price, and no way out while it is replaced. null: a gateway."
  type        = string
  default     = null

  validation {
    condition     = var.nat_instance_type == null ? true : can(regex("^[a-z0-9]+g[a-z]*\\.", var.nat_instance_type)) && !var.nat_gateway_per_zone
    error_message = "nat_instance_type must be a machine with a processor of ARM, such as t4g.nano, and goes without nat_gateway_per_zone."
  }
}

variable "interface_endpoints" {
  description = "true: ECR, CloudWatch Logs and Secrets Manager are reached inside the VPC, not through NAT."
  type        = bool
  default     = false
}

variable "flow_log_retention_days" {
  description = "How long it is kept who spoke to whom, in days."
  type        = number
  default     = 30
}

variable "kms_key_arn" {
  description = "The key that encrypts the flow logs."
  type        = string
}
