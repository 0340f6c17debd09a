# Uploads and backups: two buckets, because their rules of life differ. A backup that is gone is
# gone; an upload is also in the graph.

locals {
  buckets = {
    uploads = "Bytes of uploaded documents (OBJECT_STORE=s3)"
    backups = "Archives of ragfleet backup (BACKUP_TO)"
  }
}

resource "aws_s3_bucket" "main" {
  # checkov:skip=CKV_AWS_18:GuardDuty looks at accesses by itself; a log of each would cost more than the bucket
  # checkov:skip=CKV_AWS_144:a copy in another region is a decision of its own (docs/terraform.md)
  # checkov:skip=CKV2_AWS_62:workers learn of uploads from the ledger, nobody waits for events
  for_each = local.buckets

  bucket_prefix = "${var.name}-${each.key}-"
  force_destroy = !var.deletion_protection

  tags = { Content = each.value }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.main[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  rule {
    bucket_key_enabled = true # one call of KMS for many objects

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  # checkov:skip=CKV_AWS_300:the first rule does so for both buckets; the second, for backups, need not do it again
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id

  # ragfleet removes uploads and old backups itself; what it removed or overwrote can be brought
  # back for a while. Parts of uploads that broke are invisible and cost money.
  rule {
    id     = "removed"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # A backup is read once, if ever. Archives are single large objects, so a month in the cheaper
  # class costs less than the move.
  dynamic "rule" {
    for_each = each.key == "backups" ? ["cheaper"] : []

    content {
      id     = rule.value
      status = "Enabled"

      filter {}

      transition {
        days          = 30
        storage_class = "STANDARD_IA"
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.main]
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.buckets

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.main[each.key].arn, "${aws_s3_bucket.main[each.key].arn}/*"]

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

  statement {
    sid       = "OnlyTls12AndLater"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.main[each.key].arn, "${aws_s3_bucket.main[each.key].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "s3:TlsVersion"
      values   = ["1.2"]
    }
  }
}

resource "aws_s3_bucket_policy" "main" {
  for_each = local.buckets

  bucket = aws_s3_bucket.main[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  # AWS refuses two changes of one bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.main]
}
