# What Terraform itself needs when GitHub runs it.

locals {
  state = var.state_bucket == null ? 0 : local.github
}

data "aws_iam_policy_document" "state" {
  for_each = toset(local.state == 0 ? [] : ["plan", "apply"])

  statement {
    actions   = ["s3:ListBucket"]
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
  }

  # A plan reads the state; only apply writes it, and locks it.
  statement {
    actions   = concat(["s3:GetObject"], each.key == "apply" ? ["s3:PutObject"] : [])
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/*"]
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? [1] : []

    content {
      actions   = ["s3:DeleteObject"]
      resources = ["arn:${local.partition}:s3:::${var.state_bucket}/${var.name}/*.tflock"]
    }
  }

  dynamic "statement" {
    for_each = var.state_kms_key_arn == null ? [] : [var.state_kms_key_arn]

    content {
      actions   = concat(["kms:Decrypt"], each.key == "apply" ? ["kms:GenerateDataKey"] : [])
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "state" {
  for_each = data.aws_iam_policy_document.state

  name   = "terraform-state"
  role   = aws_iam_role.github[each.key].id
  policy = each.value.json
}

# A workflow's plan compares files with the state and does not look at AWS (-refresh=false): the
# provider reads the values of secrets where it looks at their versions, and whoever opens a pull
# request decides what this role does. So it may see what data sources ask for, and the images that
# services run: without them a plan would show all services as gone.
data "aws_iam_policy_document" "plan" {
  # checkov:skip=CKV_AWS_356:actions of EC2 that describe know no resource
  statement {
    actions   = ["ec2:DescribeAvailabilityZones"]
    resources = ["*"]
  }

  statement {
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${local.region}::parameter/aws/service/ami-amazon-linux-latest/*"]
  }

  statement {
    actions   = ["ecr:DescribeImages"]
    resources = ["arn:${local.partition}:ecr:${local.region}:${local.account}:repository/${var.name}/*"]
  }
}

resource "aws_iam_role_policy" "plan" {
  count = local.github

  name   = "plan"
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
