output "arns" {
  description = "All secrets: api-key, flower, redis, postgres, llm-api-key, embedding-api-key and, with Neo4j, neo4j. postgres and neo4j are JSON with username and password, the others are the value itself."
  value       = { for name, secret in aws_secretsmanager_secret.main : name => secret.arn }
  # Whoever reads one finds a value in it.
  depends_on = [aws_secretsmanager_secret_version.main]
}

output "postgres_user" {
  description = "POSTGRES_USER."
  value       = local.postgres_user
}

output "redis_token" {
  description = "The token for ElastiCache's write-only argument; nobody's without write_passwords."
  value       = var.write_passwords ? ephemeral.aws_secretsmanager_secret_version.store["redis"].secret_string : uuid()
  ephemeral   = true
  sensitive   = true
}

output "postgres_password" {
  description = "The password for Aurora's write-only argument; nobody's without write_passwords."
  value       = var.write_passwords ? jsondecode(ephemeral.aws_secretsmanager_secret_version.store["postgres"].secret_string).password : uuid()
  ephemeral   = true
  sensitive   = true
}
