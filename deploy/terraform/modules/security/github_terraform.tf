# What Terraform itself needs when GitHub runs it.

locals {
  state = var.state_bucket == null ? 0 : local.github
}

data "aws_iam_policy_document" "state" {
  for_each = var.state_bucket == null ? {} : local.roles

  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
  }

  # A plan reads the state and locks it; only apply writes it.
  statement {
    actions   = concat(["s3:GetObject"], each.key == "apply" ? ["s3:PutObject"] : [])
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/*"]
  }

  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/*.tflock"]
  }

  dynamic "statement" {
    for_each = var.state_kms_key_arn == null ? [] : [var.state_kms_key_arn]

    content {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "state" {
  for_each = local.state == 0 ? toset([]) : toset(["plan", "apply"])

  name   = "terraform-state"
  role   = aws_iam_role.github[each.key].id
  policy = data.aws_iam_policy_document.state[each.key].json
}

# Reads settings of everything and the contents of nothing: no secret, no object, no log.
resource "aws_iam_role_policy_attachment" "plan" {
  for_each = toset(local.github == 0 ? [] : ["SecurityAudit", "job-function/ViewOnlyAccess"])

  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
}

# The images that services run now: without them a plan would show all services as gone.
data "aws_iam_policy_document" "plan" {
  statement {
    actions   = ["ecr:DescribeImages"]
    resources = ["arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}/*"]
  }
}

resource "aws_iam_role_policy" "plan" {
  count = local.github

  name   = "see-images"
  role   = aws_iam_role.github["plan"].id
  policy = data.aws_iam_policy_document.plan.json
}

# Everything but identities; those of this installation follow below. Together that is as good as
# an administrator of this account, which is why it waits for the environment's approval.
resource "aws_iam_role_policy_attachment" "apply" {
  count = local.github

  role       = aws_iam_role.github["apply"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/PowerUserAccess"
}

data "aws_iam_policy_document" "apply" {
  statement {
    sid = "RolesOfThisInstallation"
    actions = [
      "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags",
      "iam:PassRole", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
    ]
    resources = [local.own_role]
  }

  statement {
    sid = "InstanceProfileOfNeo4j"
    actions = [
      "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
      "iam:GetInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:instance-profile/${var.name}-*"]
  }

  statement {
    sid       = "IdentityProviderOfGitHub"
    actions   = ["iam:GetOpenIDConnectProvider"]
    resources = ["arn:${local.partition}:iam::${local.account}:oidc-provider/${local.issuer}"]
  }
}

resource "aws_iam_role_policy" "apply" {
  # checkov:skip=CKV_AWS_286:said above, the environment's approval is the guard
  # checkov:skip=CKV_AWS_289:said above, the environment's approval is the guard
  count = local.github

  name   = "own-roles"
  role   = aws_iam_role.github["apply"].id
  policy = data.aws_iam_policy_document.apply.json
}
