# What the machine of Neo4j may do, and who may copy its disk.

data "aws_iam_policy_document" "neo4j_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "neo4j" {
  count = local.machine

  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.neo4j_secret_arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "neo4j" {
  count = local.machine

  name               = "${var.name}-neo4j"
  assume_role_policy = data.aws_iam_policy_document.neo4j_assume.json
}

resource "aws_iam_role_policy" "neo4j" {
  count = local.machine

  name   = "own-password"
  role   = aws_iam_role.neo4j[0].id
  policy = data.aws_iam_policy_document.neo4j[0].json
}

resource "aws_iam_role_policy_attachment" "neo4j_session_manager" {
  count = local.machine

  role       = aws_iam_role.neo4j[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "neo4j" {
  count = local.machine

  name = "${var.name}-neo4j"
  role = aws_iam_role.neo4j[0].name
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "snapshots_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["dlm.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "snapshots" {
  count = local.machine

  name               = "${var.name}-neo4j-snapshots"
  assume_role_policy = data.aws_iam_policy_document.snapshots_assume.json
}

resource "aws_iam_role_policy_attachment" "snapshots" {
  count = local.machine

  role       = aws_iam_role.snapshots[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

resource "aws_dlm_lifecycle_policy" "neo4j" {
  # checkov:skip=CKV_AWS_253:copies stay in this region
  # checkov:skip=CKV_AWS_254:copies stay in this region
  # checkov:skip=CKV_AWS_255:copies stay in this region
  # checkov:skip=CKV_AWS_256:copies stay in this region
  count = local.machine

  description        = "Neo4j of ${var.name} every day"
  execution_role_arn = aws_iam_role.snapshots[0].arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Snapshots = "${var.name}-neo4j" }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["03:00"]
      }

      retain_rule {
        count = var.neo4j.snapshots
      }
    }
  }
}
