variable "name" {
  description = "What all names begin with. Two installations in one account need two names."
  type        = string
  default     = "ragfleet"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name has 3 to 20 characters of a-z, 0-9 and single dashes, and begins with a letter."
  }
}

variable "region" {
  description = "The region."
  type        = string
  default     = "us-east-1"
}

variable "cidr" {
  description = "The addresses of the VPC."
  type        = string
  default     = "10.20.0.0/16"
}

variable "availability_zones" {
  description = "The two zones. Empty: the first two of the region."
  type        = list(string)
  default     = []
}

# ── The way in ───────────────────────────────────────────────────────────────────────────────────

variable "certificate_arn" {
  description = "The certificate in ACM, in the same region, for the name that clients use."
  type        = string
}

variable "domain" {
  description = "The name of the API, which the certificate is for, and its hosted zone in Route 53. Without zone_id point the name at output api_dns_name yourself."
  type        = object({ name = string, zone_id = optional(string) })
  default     = null
}

variable "allowed_cidrs" {
  description = "Who may connect to the API at all; they need its key besides."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "rate_limit_per_5_minutes" {
  description = "How many requests one address may make in five minutes."
  type        = number
  default     = 2000
}

# ── What runs ────────────────────────────────────────────────────────────────────────────────────

variable "images" {
  description = "The images by their digests (…@sha256:…). null: no services yet, for the first apply, before anything was pushed."
  type        = object({ api = string, worker = string })
  default     = null
}

variable "architecture" {
  description = "What the images were built for: X86_64 or ARM64, which costs a fifth less."
  type        = string
  default     = "X86_64"
}

variable "services_running" {
  description = "false: all services at 0 tasks, such as before secrets have values and init has run, or while another host serves."
  type        = bool
  default     = true
}

variable "settings" {
  description = "Settings of .env.example that are no secrets and not decided here, such as LLM_PROVIDER and LLM_MODEL; all services get them."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Further settings that are secrets, such as OTEL_EXPORTER_OTLP_HEADERS: name => ARN in Secrets Manager. All services get them but flower."
  type        = map(string)
  default     = {}
}

variable "egress" {
  description = "Where services may connect to besides stores and HTTPS, such as a model server or a collector of traces: a name => port and addresses or security group. A NAT machine passes on 443 and 7687 alone."
  type        = map(object({ port = number, cidr = optional(string), security_group_id = optional(string) }))
  default     = {}
}

variable "profile_settings" {
  description = "Settings that belong to the sizes of a profile; those of `settings` win."
  type        = map(string)
  default     = {}
}

variable "sizes" {
  description = "How large each service is and how many tasks it has. max = min: no autoscaling. spot: cheaper, taken away at two minutes' notice."
  type = map(object({
    cpu        = number
    memory_mib = number
    min        = number
    max        = number
    spot       = optional(bool, false)
    disk_gib   = optional(number, 21)
  }))

  validation {
    condition     = length(setsubtract(["api", "worker-prepare", "worker-extract", "worker-commit", "beat", "init"], keys(var.sizes))) == 0
    error_message = "sizes must have api, worker-prepare, worker-extract, worker-commit, beat and init; flower is optional."
  }

  validation {
    condition     = alltrue([for name in ["beat"] : var.sizes[name].max == 1])
    error_message = "sizes.beat must have one task: it is the clock, and two clocks send everything twice."
  }
}

variable "backlog_per_task" {
  description = "How many pieces of work, waiting or in hand, each worker may have before there are more workers: documents, batches of chunks, workspaces."
  type        = map(number)
  default     = { prepare = 50, extract = 6, commit = 4 }
}

variable "flower_clients" {
  description = "Security groups that may open the dashboard on port 5555, such as a VPN's: name => id. It is never reached from the internet."
  type        = map(string)
  default     = {}
}

variable "backup_schedule" {
  description = "When all workspaces are backed up into the bucket, as five fields of cron in UTC. Empty: never."
  type        = string
  default     = "30 3 * * *"
}

# ── Stores ───────────────────────────────────────────────────────────────────────────────────────

variable "redis" {
  description = "ElastiCache; see modules/data."
  type        = any
  default     = {}
}

variable "postgres" {
  description = "Aurora; see modules/data."
  type        = any
  default     = {}
}

variable "postgres_root_cert" {
  description = "The file of Amazon's authorities inside the images, such as /opt/certificates/global-bundle.pem: POSTGRES_SSLMODE is then verify-full. null: require."
  type        = string
  default     = null
}

variable "graph" {
  description = "Where the graph is kept: postgres, aura or ec2. Never change it for a filled system."
  type        = string
  default     = "postgres"
}

variable "aura_uri" {
  description = "With graph = aura: its address, neo4j+s://…"
  type        = string
  default     = null
}

variable "aura_database" {
  description = "With graph = aura: the database that its console shows."
  type        = string
  default     = "neo4j"
}

variable "neo4j" {
  description = "With graph = ec2; see modules/data."
  type        = any
  default     = {}
}

variable "deletion_protection" {
  description = "true: stores, buckets and load balancer refuse to be deleted. false only for what may be lost."
  type        = bool
  default     = true
}

variable "write_passwords" {
  description = "false: neither make nor read a password, for a plan that may not and is never applied; no difference comes of it."
  type        = bool
  default     = true
}

variable "passwords_version" {
  description = "A higher number makes new passwords; roll all services over at once afterwards."
  type        = number
  default     = 1
}
