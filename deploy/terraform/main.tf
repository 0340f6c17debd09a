# lightrag-fleet on AWS: internet → load balancer → API → stores ← workers. Read docs/terraform.md.

data "aws_availability_zones" "current" {
  # checkov:skip=CKV_AWS_394:only the first two are taken; availability_zones names them where AWS's order must not decide
  state = "available"

  # Local zones have no Fargate and no Aurora.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = length(var.availability_zones) > 0 ? var.availability_zones : slice(data.aws_availability_zones.current.names, 0, 2)

  # How long a model may think before an answer begins: nothing on the way may end it earlier.
  answer_s = tonumber(lookup(local.told, "LLM_TIMEOUT_S", "180"))
}

module "security" {
  source = "./modules/security"

  name                   = var.name
  cloudtrail             = var.cloudtrail
  guardduty              = var.guardduty
  github_repository      = var.github_repository
  create_github_provider = var.create_github_provider
  state_bucket           = var.state_bucket
  state_kms_key_arn      = var.state_kms_key_arn
}

module "network" {
  source = "./modules/network"

  name                    = var.name
  cidr                    = var.cidr
  availability_zones      = local.zones
  nat_gateway_per_zone    = var.nat_gateway_per_zone
  nat_instance_type       = var.nat_instance_type
  interface_endpoints     = var.interface_endpoints
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = module.security.kms_key_arn
}

module "secrets" {
  source = "./modules/secrets"

  name              = var.name
  kms_key_arn       = module.security.kms_key_arn
  graph             = var.graph
  write_passwords   = var.write_passwords
  passwords_version = var.passwords_version
  recovery_days     = var.deletion_protection ? 30 : 7
}

module "data" {
  source = "./modules/data"

  name                = var.name
  vpc_id              = module.network.vpc_id
  private_subnet_ids  = module.network.private_subnet_ids
  availability_zones  = local.zones
  kms_key_arn         = module.security.kms_key_arn
  redis               = var.redis
  postgres            = var.postgres
  graph               = var.graph
  aura_uri            = var.aura_uri
  neo4j               = var.neo4j
  redis_token         = module.secrets.redis_token
  postgres_user       = module.secrets.postgres_user
  postgres_password   = module.secrets.postgres_password
  neo4j_secret_arn    = lookup(module.secrets.arns, "neo4j", null)
  passwords_version   = var.passwords_version
  deletion_protection = var.deletion_protection
  log_retention_days  = var.log_retention_days

  clients = {
    for name, service in module.service : name => {
      security_group_id = service.security_group_id
      stores            = name == "flower" ? ["redis"] : ["redis", "postgres", "neo4j"]
    }
  }
}

module "edge" {
  source = "./modules/edge"

  name                     = var.name
  vpc_id                   = module.network.vpc_id
  vpc_cidr                 = module.network.vpc_cidr
  public_subnet_ids        = module.network.public_subnet_ids
  certificate_arn          = var.certificate_arn
  domain                   = var.domain
  allowed_cidrs            = var.allowed_cidrs
  own_addresses            = module.network.nat_addresses
  rate_limit_per_5_minutes = var.rate_limit_per_5_minutes
  idle_timeout_s           = max(300, local.answer_s + 60)
  deregistration_delay_s   = min(600, max(200, local.answer_s + 20))
  waf_log_retention_days   = var.log_retention_days
  log_key_arn              = module.security.kms_key_arn
  deletion_protection      = var.deletion_protection
}

module "observability" {
  source = "./modules/observability"

  name               = var.name
  installation       = var.installation
  services           = [for name in keys(local.services) : name if name != "init"]
  running            = var.services_running && var.images != null
  kms_key_arn        = module.security.kms_key_arn
  container_insights = var.container_insights
  log_retention_days = var.log_retention_days
  alarm_emails       = var.alarm_emails
  monthly_budget_usd = var.monthly_budget_usd
  redis_node_ids     = module.data.redis_node_ids
  nat_gateway_ids    = module.network.nat_gateway_ids

  api_load_balancer = {
    arn_suffix              = module.edge.arn_suffix
    target_group_arn_suffix = module.edge.target_group_arn_suffix
  }

  aurora = {
    cluster_id      = module.data.postgres_cluster_id
    max_connections = module.data.postgres_max_connections
  }
}
