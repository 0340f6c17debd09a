# What is refused before AWS is asked.

mock_provider "aws" {}

variables {
  name       = "fleet"
  service    = "worker-extract"
  cluster    = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/fleet", name = "fleet" }
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-a", "subnet-b"]
  image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lightrag-fleet-worker@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  cpu        = 512
  memory_mib = 2048
}

run "an_image_by_tag" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lightrag-fleet-worker:latest"
  }
  expect_failures = [var.image]
}

run "a_password_in_the_environment" {
  command = plan
  variables {
    environment = { POSTGRES_PASSWORD = "x" }
  }
  expect_failures = [var.environment]
}

run "a_secret_that_is_no_arn" {
  command = plan
  variables {
    secrets = { POSTGRES_PASSWORD = "x" }
  }
  expect_failures = [var.secrets]
}

run "root" {
  command = plan
  variables {
    user = "0:0"
  }
  expect_failures = [var.user]
}

run "too_little_time_to_stop" {
  command = plan
  variables {
    stop_timeout_s = 10
  }
  expect_failures = [var.stop_timeout_s]
}

run "more_time_to_stop_than_fargate_gives" {
  command = plan
  variables {
    stop_timeout_s = 121
  }
  expect_failures = [var.stop_timeout_s]
}

run "a_size_that_fargate_does_not_have" {
  command = plan
  variables {
    cpu        = 512
    memory_mib = 8192
  }
  expect_failures = [var.memory_mib]
}

run "none_to_start_with_and_nothing_that_starts_one" {
  command = plan
  variables {
    autoscaling = { min = 0, max = 4, backlog = { queue = "extract", per_task = 32, installation = "ragfleet" } }
  }
  expect_failures = [var.autoscaling]
}

run "a_queue_that_there_is_not" {
  command = plan
  variables {
    autoscaling = { min = 1, max = 4, backlog = { queue = "extrct", per_task = 32, installation = "ragfleet" } }
  }
  expect_failures = [var.autoscaling]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "a_way_out_to_nowhere" {
  command = plan
  variables {
    egress = { nowhere = { port = 443 } }
  }
  expect_failures = [var.egress]
}
