# What processes may do with the buckets: what docs/s3.md says they need, and nothing else.

data "aws_iam_policy_document" "bucket" {
  for_each = toset(["uploads", "backups"])

  statement {
    actions = [
      "s3:GetObject", "s3:PutObject", "s3:DeleteObject",
      "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
    ]
    resources = ["${module.data.buckets[each.key].arn}/*"]
  }

  statement {
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]
    resources = [module.data.buckets[each.key].arn]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.security.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

# A host beside ECS does what all tiers do.
data "aws_iam_policy_document" "host" {
  source_policy_documents = [for bucket in data.aws_iam_policy_document.bucket : bucket.json]
}

# Who only parses documents reads them; parsers are what a document could turn against us.
data "aws_iam_policy_document" "read_uploads" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${module.data.buckets.uploads.arn}/*"]
  }

  # Without it a document that is gone would look like one that may not be read.
  statement {
    actions   = ["s3:ListBucket"]
    resources = [module.data.buckets.uploads.arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [module.security.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}
