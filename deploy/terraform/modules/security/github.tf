# Roles for GitHub's workflows, by OIDC: no key of AWS lies at GitHub. Each role lets in one kind of
# run of one repository, and may do what that run does.
#   images  pushes images            from the branch github_branch
#   plan    reads, to show a plan    from pull requests and that branch
#   deploy  rolls services over      from the environment github_environment, after approval
#   apply   changes everything here  from the same environment

locals {
  github  = var.github_repository == null ? 0 : 1
  issuer  = "token.actions.githubusercontent.com"
  subject = "repo:${coalesce(var.github_repository, "none/none")}"
  roles = var.github_repository == null ? {} : {
    images = ["${local.subject}:ref:refs/heads/${var.github_branch}"]
    plan   = ["${local.subject}:pull_request", "${local.subject}:ref:refs/heads/${var.github_branch}"]
    deploy = ["${local.subject}:environment:${var.github_environment}"]
    apply  = ["${local.subject}:environment:${var.github_environment}"]
  }
  provider_arn = var.create_github_provider ? one(aws_iam_openid_connect_provider.github[*].arn) : "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.issuer}"

  ecs      = "arn:${local.partition}:ecs:${local.region}:${local.account}"
  own_role = "arn:${local.partition}:iam::${local.account}:role/${var.name}-*"
}

# GitHub's certificate is among those that AWS trusts by itself: no thumbprint is needed.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_provider ? local.github : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github_assume" {
  for_each = local.roles

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = each.value
    }
  }
}

resource "aws_iam_role" "github" {
  for_each = local.roles

  name               = "${var.name}-github-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.github_assume[each.key].json
  # Rolling over takes as long as six services that drain; the others are done within an hour.
  max_session_duration = each.key == "deploy" ? 10800 : 3600
}

data "aws_iam_policy_document" "images" {
  # checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
      "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    ]
    resources = ["arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}/*"]
  }
}

# What deploy/ecs asks for, a check holds the two together. It can register no task definition: it
# moves services between those that apply made.
data "aws_iam_policy_document" "deploy" {
  statement {
    actions   = ["ecs:UpdateService", "ecs:DescribeServices"]
    resources = ["${local.ecs}:service/${var.name}/*"]
  }

  # The init task, before services are rolled over.
  statement {
    actions   = ["ecs:RunTask"]
    resources = ["${local.ecs}:task-definition/${var.name}-*"]
  }

  statement {
    actions   = ["ecs:DescribeTasks", "ecs:StopTask"]
    resources = ["${local.ecs}:task/${var.name}/*"]
  }

  statement {
    actions   = ["iam:PassRole"]
    resources = [local.own_role]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "images" {
  count = local.github

  name   = "push-images"
  role   = aws_iam_role.github["images"].id
  policy = data.aws_iam_policy_document.images.json
}

resource "aws_iam_role_policy" "deploy" {
  count = local.github

  name   = "roll-over"
  role   = aws_iam_role.github["deploy"].id
  policy = data.aws_iam_policy_document.deploy.json
}
