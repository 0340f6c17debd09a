# What a service is made of; AWS is not asked.

mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/fleet/worker-extract" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/role" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/fleet:1" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:p" }
  }
}

variables {
  name       = "fleet"
  service    = "worker-extract"
  cluster    = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/fleet", name = "fleet" }
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-a", "subnet-b"]
  image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lightrag-fleet-worker@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  cpu        = 512
  memory_mib = 2048

  environment = { USE_EXTERNAL_STORAGE = "true" }
  secrets = {
    POSTGRES_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fleet/postgres-AbCdEf:password::"
    REDIS_PASSWORD    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fleet/redis-AbCdEf"
  }
  secrets_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
}

run "a_container_can_change_nothing_but_its_data" {
  assert {
    condition = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : (
      container.readonlyRootFilesystem && container.user == "10001:10001" && container.linuxParameters == { capabilities = { drop = ["ALL"] }, initProcessEnabled = true }
    )])
    error_message = "The root file system is read-only, the user is not root and has no capabilities."
  }
  assert {
    condition = [for mount in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints : [mount.containerPath, mount.readOnly]] == [
      ["/data", false]
    ]
    error_message = "Only the data folder can be written to."
  }
  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      DATA_DIR = "/data", HOME = "/data", TMPDIR = "/data", WORKER_PULSE_FILE = "/data/worker-pulse.json", USE_EXTERNAL_STORAGE = "true"
    }
    error_message = "Temporary files go where they can be written."
  }
}

run "secrets_are_names_never_values" {
  assert {
    condition = alltrue([
      for secret in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : startswith(secret.valueFrom, "arn:aws:secretsmanager:")
    ]) && length(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets) == 2
    error_message = "Both secrets are ARNs."
  }
}

run "ecs_may_fetch_this_image_these_secrets_and_write_this_log" {
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid => statement.Resource } == {
      WriteLogs       = ["arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/fleet/worker-extract:*"]
      LogInToRegistry = ["*"]
      PullImage       = ["arn:aws:ecr:eu-central-1:123456789012:repository/lightrag-fleet-worker"]
      ReadSecrets = [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fleet/postgres-AbCdEf",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fleet/redis-AbCdEf",
      ]
      DecryptSecrets = ["arn:aws:kms:eu-central-1:123456789012:key/k"]
    }
    error_message = "The execution role may more or less than it has to."
  }
  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
    ]))
    error_message = "Actions are named one by one."
  }
}

run "a_worker_may_spare_itself_in_its_own_cluster_and_nothing_else" {
  assert {
    condition = keys(aws_iam_role_policy.task) == ["scale-in-protection"] && jsondecode(aws_iam_role_policy.task["scale-in-protection"].policy).Statement[0].Resource == [
      "arn:aws:ecs:eu-central-1:123456789012:task/fleet/*"
    ]
    error_message = "A worker's role has the one policy."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.task["scale-in-protection"].policy).Statement[0].Action == ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
    error_message = "It may ask for protection."
  }
  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Only ECS of this account assumes the role."
  }
}

run "a_version_that_does_not_become_healthy_is_taken_back" {
  assert {
    condition     = aws_ecs_service.this[0].deployment_circuit_breaker[0].enable && aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback
    error_message = "The circuit breaker is on, with rollback."
  }
  assert {
    condition     = aws_ecs_service.this[0].network_configuration[0].assign_public_ip == false
    error_message = "Tasks have no public address."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout > 10
    error_message = "A worker has time to hand its work back."
  }
}

run "a_worker_is_asked_whether_it_takes_messages" {
  assert {
    condition = [
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].command,
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.command,
      ] == [
      ["python", "-m", "worker", "--queues", "extract"],
      ["CMD", "python", "-m", "worker.health", "/data/worker-pulse.json"],
    ]
    error_message = "The command serves one queue, and the health check reads what the worker writes."
  }
  assert {
    condition     = aws_ecs_task_definition.this.skip_destroy
    error_message = "Older revisions stay, to go back to."
  }
}

run "a_beat_is_stopped_before_the_next_one_starts" {
  variables {
    service              = "beat"
    publishes_metrics_in = "LightRAGFleet"
  }
  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 0 && aws_ecs_service.this[0].deployment_maximum_percent == 100
    error_message = "There is one beat at most."
  }
  assert {
    condition = keys(aws_iam_role_policy.task) == ["metrics"] && jsondecode(aws_iam_role_policy.task["metrics"].policy).Statement[0].Condition == {
      StringEquals = { "cloudwatch:namespace" = "LightRAGFleet" }
    }
    error_message = "Beat writes metrics into one namespace, and may nothing else."
  }
  assert {
    condition     = length(aws_appautoscaling_target.this) == 0
    error_message = "Nobody makes it two."
  }
}

run "the_api_grows_with_cpu_and_memory" {
  variables {
    service       = "api"
    load_balancer = { target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/fleet/1", port = 8000 }
    ingress       = { "the load balancer" = { port = 8000, security_group_id = "sg-edge" } }
    autoscaling   = { min = 2, max = 10, cpu_percent = 70, memory_percent = 80 }
  }
  assert {
    condition = { for metric, policy in aws_appautoscaling_policy.utilisation : metric => policy.target_tracking_scaling_policy_configuration[0].target_value } == {
      ECSServiceAverageCPUUtilization = 70, ECSServiceAverageMemoryUtilization = 80
    }
    error_message = "Two policies, 70 % and 80 %."
  }
  assert {
    condition     = [aws_appautoscaling_target.this["this"].min_capacity, aws_appautoscaling_target.this["this"].max_capacity] == [2, 10]
    error_message = "2 to 10 tasks."
  }
  assert {
    condition     = aws_ecs_service.this[0].desired_count == 2
    error_message = "It starts with the smallest number."
  }
  assert {
    condition     = length(aws_iam_role_policy.task) == 0
    error_message = "The API's role may nothing that it was not given."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["the load balancer"].referenced_security_group_id == "sg-edge"
    error_message = "Only the load balancer gets in."
  }
}

run "workers_grow_with_what_waits" {
  variables {
    spot        = { enabled = true, on_demand_base = 1 }
    autoscaling = { min = 1, max = 20, backlog = { queue = "extract", per_task = 32, installation = "ragfleet" } }
  }
  assert {
    condition = { for dimension in aws_appautoscaling_policy.backlog["this"].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].dimensions : dimension.name => dimension.value } == {
      Installation = "ragfleet", Queue = "extract"
    }
    error_message = "The metric's dimensions are those that beat publishes."
  }
  assert {
    condition = [
      aws_appautoscaling_policy.backlog["this"].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].namespace,
      aws_appautoscaling_policy.backlog["this"].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metric_name,
    ] == ["LightRAGFleet", "BacklogPerTask"]
    error_message = "The metric is ours."
  }
  assert {
    condition = { for strategy in aws_ecs_service.this[0].capacity_provider_strategy : strategy.capacity_provider => [strategy.weight, strategy.base] } == {
      FARGATE_SPOT = [1, 0], FARGATE = [0, 1]
    }
    error_message = "One task is on demand, all others are Spot."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.from_zero) == 0
    error_message = "Nothing starts the first task where one always runs."
  }
}

run "workers_can_go_down_to_none" {
  state_key = "none" # another one: a service that exists keeps its number

  variables {
    autoscaling = { min = 0, max = 20, from_zero = true, backlog = { queue = "extract", per_task = 32, installation = "ragfleet" } }
  }
  assert {
    condition     = aws_ecs_service.this[0].desired_count == 0 && aws_appautoscaling_policy.from_zero["this"].policy_type == "StepScaling"
    error_message = "A step makes one of none."
  }
  assert {
    condition = toset([for query in aws_cloudwatch_metric_alarm.from_zero["this"].metric_query : "${query.id}: ${coalesce(query.expression, try(query.metric[0].metric_name, null))}"]) == toset([
      "stranded: IF(waiting > 0 AND unacked < 1, 1, 0)", "waiting: Waiting", "unacked: Unacked"
    ])
    error_message = "Something waits, and nobody has anything in hand."
  }
}

run "an_init_task_has_no_service" {
  variables {
    service = "init"
  }
  assert {
    condition     = length(aws_ecs_service.this) == 0 && output.service_name == null
    error_message = "It is run by a deployment, not kept running."
  }
  assert {
    condition     = output.run_task.network_configuration.awsvpcConfiguration.assignPublicIp == "DISABLED"
    error_message = "It has no public address."
  }
}

run "a_fleet_that_does_not_run_has_no_tasks_and_no_autoscaling" {
  variables {
    running     = false
    autoscaling = { min = 1, max = 20, backlog = { queue = "extract", per_task = 32, installation = "ragfleet" } }
  }
  assert {
    condition     = aws_ecs_service.this[0].desired_count == 0 && length(aws_appautoscaling_target.this) == 0
    error_message = "Nothing runs and nothing starts it."
  }
}
