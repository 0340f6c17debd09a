output "redis_endpoint" {
  description = "REDIS_HOST: the primary, also after a failover."
  value       = aws_elasticache_replication_group.main.primary_endpoint_address
}

output "redis_port" {
  description = "REDIS_PORT."
  value       = local.ports.redis
}

output "redis_node_ids" {
  description = "The nodes by their number, for alarms."
  value       = { for index in range(var.redis.nodes) : format("%03d", index + 1) => format("%s-%03d", aws_elasticache_replication_group.main.id, index + 1) }
}

output "postgres_endpoint" {
  description = "POSTGRES_HOST: the writer, also after a failover."
  value       = aws_rds_cluster.main.endpoint
}

output "postgres_port" {
  description = "POSTGRES_PORT."
  value       = local.ports.postgres
}

output "postgres_database" {
  description = "POSTGRES_DB."
  value       = aws_rds_cluster.main.database_name
}

output "postgres_max_connections" {
  description = "How many connections the largest size allows, rather too few: AWS's table says 189 for 1 ACU and 3360 for 16, at most 5000, and 2000 when the smallest is below 1."
  value       = min(floor(189 * var.postgres.max_acu), var.postgres.min_acu < 1 ? 2000 : 5000)
}

output "postgres_cluster_id" {
  description = "The cluster, for alarms."
  value       = aws_rds_cluster.main.cluster_identifier
}

output "graph_storage" {
  description = "GRAPH_STORAGE."
  value       = var.graph == "postgres" ? "PGTableGraphStorage" : "Neo4JStorage"
}

output "neo4j_uri" {
  description = "NEO4J_URI; null when the graph is in PostgreSQL."
  value       = { postgres = null, aura = var.aura_uri, ec2 = local.neo4j_uri }[var.graph]
}

output "buckets" {
  description = "uploads and backups, each with id and arn."
  value       = { for name, bucket in aws_s3_bucket.main : name => { id = bucket.id, arn = bucket.arn } }
}

output "repository_urls" {
  description = "Where images of api and worker are pushed."
  value       = { for name, repository in aws_ecr_repository.main : name => repository.repository_url }
}

output "security_group_ids" {
  description = "The group of each store and the port it listens on."
  value       = { for store, group in aws_security_group.store : store => { id = group.id, port = local.ports[store] } }
}
