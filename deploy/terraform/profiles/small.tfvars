# One small team: under 150 dollars a month when nothing is asked (docs/operations/costs.md). What is
# in one zone goes down with it; nothing is lost, for uploads are in S3 first and Redis has two nodes.
architecture       = "ARM64"
monthly_budget_usd = 200

nat_gateway_per_zone = false
nat_instance_type    = "t4g.nano"
interface_endpoints  = false
container_insights   = "disabled"
log_retention_days   = 30

redis = {
  node_type     = "cache.t4g.micro"
  nodes         = 2 # one alone is empty after AWS has replaced it, and it holds the texts of chunks
  snapshot_days = 1
}

# 0: Aurora pauses when services_running = false. While services run it costs 0.5 ACU at least.
postgres = {
  min_acu     = 0
  max_acu     = 4
  instances   = 1
  backup_days = 7
}

graph = "postgres"

# A worker that waits costs the same as one that works: min 0 starts it when something waits.
sizes = {
  api            = { cpu = 512, memory_mib = 1024, min = 1, max = 2 }
  worker-prepare = { cpu = 512, memory_mib = 2048, min = 0, max = 2, spot = true, disk_gib = 21 }
  worker-extract = { cpu = 512, memory_mib = 1024, min = 0, max = 4, spot = true }
  worker-commit  = { cpu = 512, memory_mib = 2048, min = 1, max = 1, spot = true }
  beat           = { cpu = 256, memory_mib = 512, min = 1, max = 1, spot = true }
  init           = { cpu = 512, memory_mib = 1024, min = 1, max = 1 }
}

# Two documents at a time do not fit into the memory of worker-prepare.
profile_settings = { PARSE_WORKERS = "1", PARSE_MEMORY_BYTES = "1073741824" }
