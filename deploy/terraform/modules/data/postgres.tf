# Aurora PostgreSQL 16, Serverless v2: the ledger, vectors (pgvector is part of Aurora; `ragfleet
# init` creates the extension), document status and, with graph = postgres, the graph.

resource "aws_db_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.private_subnet_ids
}

resource "aws_rds_cluster_parameter_group" "main" {
  name        = "${var.name}-postgresql16"
  family      = "aurora-postgresql16"
  description = "${var.name}: TLS or nothing"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # One slow statement in a log is worth more than a guess.
  parameter {
    name  = "log_min_duration_statement"
    value = "2000"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "postgres" {
  # checkov:skip=CKV_AWS_338:log_retention_days decides; a year of slow statements helps nobody
  # RDS writes to this name; made here, it ends one day.
  name              = "/aws/rds/cluster/${var.name}/postgresql"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_rds_cluster" "main" {
  # checkov:skip=CKV_AWS_162:services sign in with the password of the secret; an IAM token lives 15 minutes, a pool of connections for days
  # checkov:skip=CKV2_AWS_8:Aurora's own continuous backups are kept backup_days; ours of ragfleet lie in the bucket
  # checkov:skip=CKV_AWS_133:backup_days is 1 at least, by the variable's own rule, and 7 by default
  # checkov:skip=CKV_AWS_139:deletion_protection is on unless the variable of that name says otherwise
  cluster_identifier = var.name
  engine             = "aurora-postgresql"
  engine_mode        = "provisioned" # Serverless v2 is a class of instances, not a mode
  engine_version     = var.postgres.engine_version
  database_name      = "lightrag"
  port               = local.ports.postgres

  master_username            = var.postgres_user
  master_password_wo         = var.postgres_password
  master_password_wo_version = var.passwords_version

  db_subnet_group_name            = aws_db_subnet_group.main.name
  vpc_security_group_ids          = [aws_security_group.store["postgres"].id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.main.name

  serverlessv2_scaling_configuration {
    min_capacity             = var.postgres.min_acu
    max_capacity             = var.postgres.max_acu
    seconds_until_auto_pause = var.postgres.min_acu == 0 ? var.postgres.pause_after_s : null
  }

  storage_encrypted = true
  kms_key_id        = var.kms_key_arn

  # Any second of the last days can be restored (PITR).
  backup_retention_period      = var.postgres.backup_days
  preferred_backup_window      = "01:00-02:00"
  preferred_maintenance_window = "sun:04:30-sun:05:30"
  copy_tags_to_snapshot        = true
  deletion_protection          = var.deletion_protection
  skip_final_snapshot          = !var.deletion_protection
  final_snapshot_identifier    = "${var.name}-last"

  enabled_cloudwatch_logs_exports = ["postgresql"]
  apply_immediately               = true

  depends_on = [aws_cloudwatch_log_group.postgres]

  lifecycle {
    # Minor releases are put in by AWS in the maintenance window.
    ignore_changes = [engine_version]
  }
}

resource "aws_rds_cluster_instance" "main" {
  # checkov:skip=CKV_AWS_353:on from 2 ACU; below, it would take the memory that statements need
  # checkov:skip=CKV_AWS_118:enhanced monitoring costs per instance; the alarms look at CloudWatch's own metrics
  count = var.postgres.instances

  identifier         = "${var.name}-${count.index}"
  cluster_identifier = aws_rds_cluster.main.id
  engine             = aws_rds_cluster.main.engine
  engine_version     = aws_rds_cluster.main.engine_version
  instance_class     = "db.serverless"
  ca_cert_identifier = "rds-ca-rsa2048-g1"

  publicly_accessible        = false
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  # It wants about 2 ACU of its own to run in (AWS's advice).
  performance_insights_enabled    = var.postgres.min_acu >= 2
  performance_insights_kms_key_id = var.postgres.min_acu >= 2 ? var.kms_key_arn : null
  # The first two follow the writer in a failover at once, and grow with it.
  promotion_tier = min(count.index, 1)

  lifecycle {
    ignore_changes = [engine_version]
  }
}
