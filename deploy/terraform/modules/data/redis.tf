# ElastiCache: LightRAG's key-value data and Celery's messages. A node-based replication group with
# cluster mode off: the broker waits on several lists at once, which no cluster allows. It never
# evicts (noeviction): what is in it are documents and work, not a cache.

resource "aws_elasticache_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.private_subnet_ids
}

resource "aws_elasticache_parameter_group" "main" {
  name        = "${var.name}-${var.redis.family}"
  family      = var.redis.family
  description = "${var.name}: never evict"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "redis" {
  # checkov:skip=CKV_AWS_338:log_retention_days decides; a year of slow commands helps nobody
  name              = "/${var.name}/redis-slow"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "main" {
  # checkov:skip=CKV_AWS_31:the token is given by the write-only argument, which checkov does not know
  # checkov:skip=CKV_AWS_191:the key is kms_key_id below
  # checkov:skip=CKV2_AWS_50:failover needs two nodes, which the small profile does not pay for
  replication_group_id = var.name
  description          = "${var.name}: LightRAG's key-value data and the queues"
  engine               = var.redis.engine
  engine_version       = var.redis.engine_version
  node_type            = var.redis.node_type
  port                 = local.ports.redis
  parameter_group_name = aws_elasticache_parameter_group.main.name
  subnet_group_name    = aws_elasticache_subnet_group.main.name
  security_group_ids   = [aws_security_group.store["redis"].id]

  cluster_mode               = "disabled"
  num_cache_clusters         = var.redis.nodes
  automatic_failover_enabled = var.redis.nodes > 1
  multi_az_enabled           = var.redis.nodes > 1

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token_wo              = var.redis_token
  auth_token_wo_version      = var.passwords_version
  # Old and new token are good until the next change, so that running tasks are not locked out.
  auth_token_update_strategy = "ROTATE"

  snapshot_retention_limit   = var.redis.snapshot_days
  snapshot_window            = "02:00-03:00"
  maintenance_window         = "sun:03:30-sun:04:30"
  final_snapshot_identifier  = var.deletion_protection ? "${var.name}-last" : null
  auto_minor_version_upgrade = true
  apply_immediately          = true

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.redis.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }

  lifecycle {
    # AWS puts in minor releases; to want the older one back would make the group anew, and empty.
    ignore_changes = [engine_version]
  }
}
