# Survives the end of a zone: two of everything that holds data or the way in and out.
architecture       = "ARM64"
monthly_budget_usd = 1500

nat_gateway_per_zone = true
interface_endpoints  = true
container_insights   = "enhanced"
log_retention_days   = 90

redis = {
  node_type     = "cache.m7g.large"
  nodes         = 2
  snapshot_days = 7
}

postgres = {
  min_acu     = 2
  max_acu     = 32
  instances   = 2
  backup_days = 14
}

graph = "postgres"

sizes = {
  api            = { cpu = 1024, memory_mib = 2048, min = 2, max = 10 }
  worker-prepare = { cpu = 2048, memory_mib = 8192, min = 2, max = 10, disk_gib = 40 }
  worker-extract = { cpu = 1024, memory_mib = 4096, min = 2, max = 10, spot = true }
  worker-commit  = { cpu = 1024, memory_mib = 4096, min = 2, max = 10 }
  beat           = { cpu = 256, memory_mib = 1024, min = 1, max = 1 }
  flower         = { cpu = 256, memory_mib = 512, min = 1, max = 1 }
  init           = { cpu = 1024, memory_mib = 2048, min = 1, max = 1 }
}
