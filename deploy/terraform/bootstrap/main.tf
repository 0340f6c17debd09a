# The bucket of Terraform's state, made once per account before everything else. Its own state is a
# file beside it; keep that, or import the bucket when it is lost.
#   terraform init && terraform apply -var name=ragfleet
#   terraform output -raw backend_tf > ../backend.tf

provider "aws" {
  region = var.region

  default_tags {
    tags = { Project = var.name, ManagedBy = "terraform" }
  }
}

variable "name" {
  description = "What all names begin with; the same as of the root module."
  type        = string
  default     = "ragfleet"
}

variable "region" {
  description = "The region of the state."
  type        = string
}

resource "aws_kms_key" "state" {
  # checkov:skip=CKV2_AWS_64:the default policy, by which the account's own policies decide, is meant
  description             = "${var.name}: Terraform's state"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_s3_bucket" "state" {
  # checkov:skip=CKV_AWS_18:there is no secret in the state; policies say who reads it
  # checkov:skip=CKV_AWS_144:the state can be made anew by import
  # checkov:skip=CKV2_AWS_62:nobody waits for its objects
  bucket_prefix = "${var.name}-terraform-"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "old"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = 90
      newer_noncurrent_versions = 20
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "state" {
  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state.json

  depends_on = [aws_s3_bucket_public_access_block.state]
}

output "state_bucket" {
  description = "state_bucket of the root module."
  value       = aws_s3_bucket.state.id
}

output "state_kms_key_arn" {
  description = "state_kms_key_arn of the root module."
  value       = aws_kms_key.state.arn
}

output "backend_tf" {
  description = "The text of backend.tf, beside the root module. The lock is an object beside the state; no table is needed."
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.state.id}"
        key          = "${var.name}/terraform.tfstate"
        region       = "${var.region}"
        encrypt      = true
        kms_key_id   = "${aws_kms_key.state.arn}"
        use_lockfile = true
      }
    }
  EOT
}
