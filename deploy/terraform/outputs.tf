output "region" {
  description = "The region."
  value       = var.region
}

output "api_dns_name" {
  description = "The load balancer: point the name of the certificate here."
  value       = module.edge.dns_name
}

output "repository_urls" {
  description = "Where the images of api and worker are pushed."
  value       = module.data.repository_urls
}

output "secret_arns" {
  description = "All secrets. llm-api-key, embedding-api-key and Aura's neo4j wait for values from people."
  value       = module.secrets.arns
}

output "buckets" {
  description = "The buckets of uploads and backups."
  value       = { for name, bucket in module.data.buckets : name => bucket.id }
}

output "endpoints" {
  description = "Where the stores are; only services of ECS reach them."
  value = {
    redis    = "${module.data.redis_endpoint}:${module.data.redis_port}"
    postgres = "${module.data.postgres_endpoint}:${module.data.postgres_port}"
    neo4j    = module.data.neo4j_uri
  }
}

output "network" {
  description = "Where a host of one's own has to be to reach the stores (docs/operations/phase-2.md)."
  value = {
    vpc_id            = module.network.vpc_id
    public_subnet_ids = module.network.public_subnet_ids
  }
}

output "host_policy" {
  description = "What the role of such a host may do: the buckets, and the key with which they are encrypted."
  value       = data.aws_iam_policy_document.host.json
}

output "dashboard_name" {
  description = "The CloudWatch dashboard to look at first."
  value       = module.observability.dashboard_name
}

output "github_role_arns" {
  description = "The roles of GitHub's workflows: images, plan, deploy, apply."
  value       = module.security.github_role_arns
}

output "state_bucket" {
  description = "The bucket of the state."
  value       = var.state_bucket
}

output "state_key" {
  description = "The state in it."
  value       = "${var.name}/terraform.tfstate"
}

output "workflow_variables" {
  description = "What no profile says, as this apply had it: without it a workflow's apply would take all of it back."
  value = {
    name                     = var.name
    region                   = var.region
    cidr                     = var.cidr
    availability_zones       = var.availability_zones
    certificate_arn          = var.certificate_arn
    domain                   = var.domain
    allowed_cidrs            = var.allowed_cidrs
    rate_limit_per_5_minutes = var.rate_limit_per_5_minutes
    settings                 = var.settings
    secrets                  = var.secrets
    egress                   = var.egress
    backlog_per_task         = var.backlog_per_task
    flower_clients           = var.flower_clients
    backup_schedule          = var.backup_schedule
    postgres_root_cert       = var.postgres_root_cert
    aura_uri                 = var.aura_uri
    aura_database            = var.aura_database
    neo4j                    = var.neo4j
    deletion_protection      = var.deletion_protection
    passwords_version        = var.passwords_version
    installation             = var.installation
    alarm_emails             = var.alarm_emails
    cloudtrail               = var.cloudtrail
    guardduty                = var.guardduty
    github_repository        = var.github_repository
    create_github_provider   = var.create_github_provider
    state_bucket             = var.state_bucket
    state_kms_key_arn        = var.state_kms_key_arn
  }
}

output "deployment" {
  description = "What a rollover wants: the init task, and the newest task definition of each service. null without images."
  value = var.images == null ? null : {
    region  = var.region
    cluster = module.observability.cluster.name
    api_url = var.domain == null ? null : "https://${var.domain.name}" # no certificate is for the load balancer's own name
    init    = module.service["init"].run_task
    services = {
      for name, service in module.service :
      name => { service = service.service_name, task_definition = service.task_definition_arn } if name != "init"
    }
  }
}
