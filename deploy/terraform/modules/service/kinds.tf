# What each of the processes is: as in docker-compose.yml, and a test holds the two together.

locals {
  # Gone with the task; the only folder that can be written to, so what images put into /tmp is here.
  pulse_file = "${var.data_dir}/worker-pulse.json"

  # One more may run while a new version comes, and none less.
  rolling = { minimum_healthy_percent = 100, maximum_percent = 200 }
  # Its lock in Redis would keep a second one silent, but nothing needs a second one: a minute
  # without sweeps only delays what was lost.
  one_at_a_time = { minimum_healthy_percent = 0, maximum_percent = 100 }

  # ECS does not read the HEALTHCHECK of an image, so it stands here again.
  worker_health = {
    command    = ["CMD", "python", "-m", "worker.health", local.pulse_file]
    interval_s = 15, timeout_s = 5, start_period_s = 90, retries = 4
  }

  kinds = {
    api = {
      command    = ["python", "-m", "api"]
      deployment = local.rolling
      # Alive, not ready: a task that is replaced because a store is away helps nobody. Never through
      # a proxy, which settings may name.
      health = {
        command    = ["CMD", "python", "-S", "-c", "import http.client as web, sys; api = web.HTTPConnection('127.0.0.1', 8000, timeout=4); api.request('GET', '/livez'); sys.exit(api.getresponse().status != 200)"]
        interval_s = 15, timeout_s = 5, start_period_s = 60, retries = 3
      }
    }
    worker-prepare = { command = ["python", "-m", "worker", "--queues", "prepare"], deployment = local.rolling, health = local.worker_health }
    worker-extract = { command = ["python", "-m", "worker", "--queues", "extract"], deployment = local.rolling, health = local.worker_health }
    # Several of them commit several workspaces at a time; a workspace has one writer, whoever has its lease.
    worker-commit = { command = ["python", "-m", "worker", "--queues", "commit,maintenance"], deployment = local.rolling, health = local.worker_health }
    beat = {
      command    = ["python", "-m", "worker.beat"]
      deployment = local.one_at_a_time
      health = {
        command    = ["CMD", "python", "-m", "worker.health", "--beat"]
        interval_s = 30, timeout_s = 10, start_period_s = 60, retries = 4
      }
    }
    flower = {
      command    = ["python", "-m", "ops.flower"]
      deployment = local.one_at_a_time
      health = {
        command    = ["CMD", "python", "-S", "-c", "import http.client as web, sys; flower = web.HTTPConnection('127.0.0.1', 5555, timeout=4); flower.request('GET', '/healthcheck'); sys.exit(flower.getresponse().status != 200)"]
        interval_s = 30, timeout_s = 5, start_period_s = 60, retries = 3
      }
    }
    # Runs to its end before a rollout: a task definition, no service.
    init = { command = ["ragfleet", "init"], deployment = null, health = null }
  }

  kind    = local.kinds[var.service]
  one_off = local.kind.health == null
}
