# What runs on ECS, from two images. Each service knows the stores it speaks to and no other.

locals {
  data_dir = "/data"

  told = merge(var.profile_settings, var.settings)

  # Settings that only this place can know win over what was told.
  environment = merge(local.told, {
    USE_EXTERNAL_STORAGE    = "true"
    LOG_FORMAT              = "json"
    OBJECT_STORE            = "s3"
    S3_BUCKET               = module.data.buckets.uploads.id
    S3_REGION               = var.region
    BACKUP_TO               = "s3://${module.data.buckets.backups.id}/${var.name}"
    BACKUP_SCHEDULE         = var.backup_schedule
    REDIS_HOST              = module.data.redis_endpoint
    REDIS_PORT              = tostring(module.data.redis_port)
    REDIS_SSL               = "true"
    POSTGRES_HOST           = module.data.postgres_endpoint
    POSTGRES_PORT           = tostring(module.data.postgres_port)
    POSTGRES_DB             = module.data.postgres_database
    POSTGRES_USER           = module.secrets.postgres_user
    POSTGRES_SSLMODE        = var.postgres_root_cert == null ? "require" : "verify-full"
    KV_STORAGE              = "RedisKVStorage"
    VECTOR_STORAGE          = "PGVectorStorage"
    GRAPH_STORAGE           = module.data.graph_storage
    CLOUDWATCH_INSTALLATION = var.installation
    CLOUDWATCH_REGION       = var.region
    },
    var.postgres_root_cert == null ? {} : { POSTGRES_SSL_ROOT_CERT = var.postgres_root_cert },
    var.graph == "postgres" ? {} : {
      NEO4J_URI      = module.data.neo4j_uri
      NEO4J_DATABASE = var.graph == "aura" ? var.aura_database : "neo4j"
    },
  )

  # A task whose secret has no value does not start, so each names only what is in use.
  keyed = ["openai", "ark"]
  secrets = merge(
    var.secrets,
    {
      REDIS_PASSWORD    = module.secrets.arns["redis"]
      POSTGRES_PASSWORD = "${module.secrets.arns["postgres"]}:password::"
    },
    # Aura gives each database a user of its own name or `neo4j`: the secret says which.
    var.graph == "postgres" ? {} : {
      for variable, key in { NEO4J_USERNAME = "username", NEO4J_PASSWORD = "password" } :
      variable => "${module.secrets.arns["neo4j"]}:${key}::"
    },
    contains(local.keyed, lookup(local.told, "LLM_PROVIDER", "offline")) ? { LLM_API_KEY = module.secrets.arns["llm-api-key"] } : {},
    contains(local.keyed, lookup(local.told, "EMBEDDING_PROVIDER", "offline")) ? { EMBEDDING_API_KEY = module.secrets.arns["embedding-api-key"] } : {},
  )

  # Commands and health checks are in modules/service/kinds.tf.
  described = {
    api = {
      image       = "api"
      environment = { API_HOST = "0.0.0.0", API_PORT = "8000", AUTH_MODE = "key" }
      secrets     = { API_KEY = module.secrets.arns["api-key"] }
      policies    = { uploads = data.aws_iam_policy_document.bucket["uploads"].json }
    }
    worker-prepare = {
      policies = { uploads = data.aws_iam_policy_document.read_uploads.json }
      queue    = "prepare"
    }
    worker-extract = { queue = "extract" }
    # Also sweeps, cleans up and makes backups.
    worker-commit = {
      policies = {
        uploads = data.aws_iam_policy_document.bucket["uploads"].json
        backups = data.aws_iam_policy_document.bucket["backups"].json
      }
      queue = "commit"
    }
    beat = {
      environment          = { CLOUDWATCH_ENABLED = "true" }
      publishes_metrics_in = "LightRAGFleet"
    }
    flower = {
      environment = { FLOWER_HOST = "0.0.0.0", FLOWER_PORT = "5555" }
      secrets     = { FLOWER_PASSWORD = module.secrets.arns["flower"] }
    }
    # Runs to its end before each rollover: tables and indexes, and whether all stores answer. After
    # it the same task asks the API something real (deploy/ecs/smoke.py), so it has the API's key.
    init = {
      secrets  = { API_KEY = module.secrets.arns["api-key"] }
      policies = { uploads = data.aws_iam_policy_document.bucket["uploads"].json }
    }
  }

  services = var.images == null ? {} : { for name, size in var.sizes : name => size }

  # Arrows out. AWS's own services and models over HTTPS; each store by its group.
  store_rules = {
    for store, group in module.data.security_group_ids : store => { port = group.port, security_group_id = group.id }
  }
  egress = merge(
    { https = { port = 443, cidr = "0.0.0.0/0" } },
    local.store_rules,
    var.graph == "aura" ? { aura = { port = 7687, cidr = "0.0.0.0/0" } } : {},
    var.egress,
  )
}

module "service" {
  source   = "./modules/service"
  for_each = local.services

  name       = var.name
  service    = each.key
  cluster    = module.observability.cluster
  vpc_id     = module.network.vpc_id
  subnet_ids = module.network.private_subnet_ids

  image        = var.images[lookup(local.described[each.key], "image", "worker")]
  architecture = var.architecture
  data_dir     = local.data_dir
  # Flower reads the broker and nothing else: it would not start with a model whose key it lacks.
  environment = merge(
    { for variable, value in local.environment : variable => value if each.key != "flower" || can(regex("^(USE_EXTERNAL_STORAGE|(REDIS|FLOWER|LOG)_\\w+)$", variable)) },
    lookup(local.described[each.key], "environment", {}),
  )
  secrets = merge(
    { for variable, arn in local.secrets : variable => arn if each.key != "flower" || variable == "REDIS_PASSWORD" },
    lookup(local.described[each.key], "secrets", {}),
  )
  secrets_key_arn      = module.security.kms_key_arn
  log_key_arn          = module.security.kms_key_arn
  log_retention_days   = var.log_retention_days
  task_policies        = lookup(local.described[each.key], "policies", {})
  publishes_metrics_in = lookup(local.described[each.key], "publishes_metrics_in", null)

  cpu           = each.value.cpu
  memory_mib    = each.value.memory_mib
  ephemeral_gib = each.value.disk_gib
  running       = var.services_running
  desired_count = each.value.min
  spot          = { enabled = each.value.spot }

  autoscaling = each.value.min == each.value.max ? null : {
    min            = each.value.min
    max            = each.value.max
    from_zero      = each.value.min == 0
    cpu_percent    = each.key == "api" ? 70 : null
    memory_percent = each.key == "api" ? 80 : null
    backlog = each.key == "api" ? null : {
      queue        = local.described[each.key].queue
      per_task     = var.backlog_per_task[local.described[each.key].queue]
      installation = var.installation
    }
  }

  load_balancer = each.key == "api" ? { target_group_arn = module.edge.target_group_arn, port = 8000 } : null
  ingress = merge(
    each.key == "api" ? { load-balancer = { port = 8000, security_group_id = module.edge.security_group_id } } : {},
    each.key == "flower" ? { for name, group in var.flower_clients : name => { port = 5555, security_group_id = group } } : {},
  )
  egress = each.key == "flower" ? { https = local.egress.https, redis = local.egress.redis } : local.egress
}
