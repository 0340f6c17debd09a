variable "name" {
  description = "What all names begin with."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "private_subnet_ids" {
  description = "The subnets of the stores, two zones at least."
  type        = list(string)
}

variable "availability_zones" {
  description = "The zones of these subnets, in the same order: the disk of Neo4j has to be where its machine is."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The key that encrypts what is kept here."
  type        = string
}

variable "clients" {
  description = "Who may speak to which stores, name => security group and stores (redis, postgres, neo4j): services of ECS and nobody else."
  type        = map(object({ security_group_id = string, stores = list(string) }))
  default     = {}

  validation {
    condition     = alltrue(flatten([for client in values(var.clients) : [for store in client.stores : contains(["redis", "postgres", "neo4j"], store)]]))
    error_message = "clients: stores are redis, postgres and neo4j."
  }
}

variable "redis_token" {
  description = "ElastiCache's token; kept in no state."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "postgres_user" {
  description = "Aurora's user."
  type        = string
  default     = "lightrag"
}

variable "postgres_password" {
  description = "Aurora's password; kept in no state."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "passwords_version" {
  description = "A higher number gives ElastiCache and Aurora the token and password again."
  type        = number
  default     = 1
}

variable "neo4j_secret_arn" {
  description = "With graph = ec2: the secret with user and password of Neo4j, as JSON."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "true: Aurora refuses to be deleted and leaves a last snapshot; buckets and repositories must be empty."
  type        = bool
  default     = true
}

variable "redis" {
  description = "ElastiCache: nodes with cluster mode off. 2 or more fail over between zones. nodes = 1 loses what it holds when AWS replaces it: then restore a snapshot or a backup."
  type = object({
    engine         = optional(string, "valkey")
    engine_version = optional(string, "8.0")
    family         = optional(string, "valkey8")
    node_type      = optional(string, "cache.t4g.small")
    nodes          = optional(number, 1)
    snapshot_days  = optional(number, 1)
  })
  default = {}

  validation {
    condition     = contains(["valkey", "redis"], var.redis.engine)
    error_message = "redis.engine must be valkey or redis."
  }

  validation {
    condition     = startswith(var.redis.family, var.redis.engine)
    error_message = "redis.family must belong to redis.engine, such as valkey8 or redis7."
  }

  validation {
    condition     = var.redis.nodes >= 1 && var.redis.nodes <= 6
    error_message = "redis.nodes must be 1 to 6: one primary and up to five replicas."
  }

  validation {
    condition     = startswith(var.redis.node_type, "cache.")
    error_message = "redis.node_type must be a node such as cache.t4g.small; serverless is a cluster, which carries no queues."
  }
}

variable "postgres" {
  description = "Aurora Serverless v2. min_acu = 0 pauses it after pause_after_s without a connection; that is never while services run."
  type = object({
    engine_version = optional(string, "16.8")
    min_acu        = optional(number, 0.5)
    max_acu        = optional(number, 4)
    pause_after_s  = optional(number, 600)
    instances      = optional(number, 1)
    backup_days    = optional(number, 7)
  })
  default = {}

  validation {
    condition     = startswith(var.postgres.engine_version, "16.")
    error_message = "postgres.engine_version must be a release of PostgreSQL 16; 16.3 is the first that pauses."
  }

  validation {
    condition     = var.postgres.min_acu >= 0 && var.postgres.max_acu >= 1 && var.postgres.max_acu <= 256 && var.postgres.min_acu <= var.postgres.max_acu
    error_message = "postgres.min_acu and max_acu must be 0 to 256, at least 1 for the maximum, and in this order."
  }

  validation {
    condition     = var.postgres.pause_after_s >= 300 && var.postgres.pause_after_s <= 86400
    error_message = "postgres.pause_after_s must be 300 to 86400."
  }

  validation {
    condition     = var.postgres.backup_days >= 1 && var.postgres.backup_days <= 35
    error_message = "postgres.backup_days must be 1 to 35: so far back any second can be restored."
  }
}

variable "graph" {
  description = "Where the graph is kept: postgres (tables in Aurora), aura (Neo4j Aura) or ec2 (a Neo4j of one's own)."
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "aura", "ec2"], var.graph)
    error_message = "graph must be postgres, aura or ec2."
  }
}

variable "aura_uri" {
  description = "With graph = aura: its address, neo4j+s://…"
  type        = string
  default     = null

  validation {
    condition     = var.graph != "aura" || can(regex("^(neo4j|bolt)\\+s://", var.aura_uri))
    error_message = "aura_uri must begin with neo4j+s:// or bolt+s://: Aura speaks nothing but TLS."
  }
}

variable "neo4j" {
  description = "With graph = ec2: the machine, its disk, and how many daily snapshots of it are kept."
  type = object({
    instance_type = optional(string, "t4g.large")
    disk_gib      = optional(number, 50)
    heap_mib      = optional(number, 2048)
    version       = optional(string, "5.26.0")
    snapshots     = optional(number, 14)
  })
  default = {}
}

variable "noncurrent_days" {
  description = "How long overwritten and deleted objects of the buckets can be brought back, in days."
  type        = number
  default     = 30
}

variable "images_kept" {
  description = "How many images of each repository are kept: so far back a rollback goes."
  type        = number
  default     = 30
}

variable "log_retention_days" {
  description = "How long logs of the stores are kept, in days."
  type        = number
  default     = 30
}
