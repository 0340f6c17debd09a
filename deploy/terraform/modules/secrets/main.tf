# Secrets. Terraform makes the passwords of what it builds, hands them over by write-only arguments,
# and keeps them in Secrets Manager alone: they are in no state and in no plan. Keys of models and
# of Aura come from people: `aws secretsmanager put-secret-value`. They are a module of their own,
# because Terraform's tests cannot mock ephemeral resources.

locals {
  # Made here; and what people bring.
  generated = merge(
    {
      api-key  = "API_KEY of the API"
      flower   = "FLOWER_PASSWORD of the dashboard"
      redis    = "AUTH token of ElastiCache"
      postgres = "User and password of Aurora, as JSON"
    },
    var.graph == "ec2" ? { neo4j = "User and password of Neo4j, as JSON" } : {},
  )
  brought = merge(
    {
      llm-api-key       = "LLM_API_KEY"
      embedding-api-key = "EMBEDDING_API_KEY"
    },
    var.graph == "aura" ? { neo4j = "User and password of Neo4j Aura, as JSON" } : {},
  )

  postgres_user = "lightrag"

  # How each password lies in its secret.
  wrapped = {
    api-key  = "%s"
    flower   = "%s"
    redis    = "%s"
    postgres = "{\"username\":\"${local.postgres_user}\",\"password\":\"%s\"}"
    neo4j    = "{\"username\":\"neo4j\",\"password\":\"%s\"}"
  }
}

resource "aws_secretsmanager_secret" "main" {
  # checkov:skip=CKV2_AWS_57:a password that changes by itself locks running tasks out; passwords_version changes all, with a rollover
  for_each = merge(local.generated, local.brought)

  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_days
}

# Without write_passwords there is uuid() where a password would be, here and in outputs.tf: the
# provider refuses a version without a value beside it, and what a plan holds is never written.

# Letters and digits alone: they need no quoting in an address, in JSON or in a shell.
ephemeral "aws_secretsmanager_random_password" "main" {
  for_each = var.write_passwords ? local.generated : {}

  password_length            = 48
  exclude_punctuation        = true
  require_each_included_type = true
}

resource "aws_secretsmanager_secret_version" "main" {
  for_each = local.generated

  secret_id        = aws_secretsmanager_secret.main[each.key].id
  secret_string_wo = var.write_passwords ? format(local.wrapped[each.key], ephemeral.aws_secretsmanager_random_password.main[each.key].random_password) : uuid()
  # The Neo4j of one's own keeps its password on its disk: there it is changed by hand.
  secret_string_wo_version = each.key == "neo4j" ? 1 : var.passwords_version
}

# Read back rather than taken from above: when an apply breaks in the middle, the next one must give
# a store the password that lies in the secret, not a new one.
ephemeral "aws_secretsmanager_secret_version" "store" {
  for_each = toset(var.write_passwords ? ["redis", "postgres"] : [])

  secret_id  = aws_secretsmanager_secret.main[each.key].id
  version_id = aws_secretsmanager_secret_version.main[each.key].version_id
}
