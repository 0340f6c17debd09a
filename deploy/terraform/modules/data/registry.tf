# Images: one repository each for API and worker. A tag never changes its meaning.

locals {
  images = toset(["api", "worker"])
}

resource "aws_ecr_repository" "main" {
  for_each = local.images

  name                 = "${var.name}/lightrag-fleet-${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "main" {
  for_each = local.images

  repository = aws_ecr_repository.main[each.key].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What lost its tag ends after a day"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 1 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        # Tagged ones alone: a version is a tagged index, an image and an attestation, and only the
        # first is counted. ECR keeps the others as long as the index is there.
        description = "The newest stay, so far back a rollback goes"
        selection   = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = var.images_kept }
        action      = { type = "expire" }
      },
    ]
  })
}
