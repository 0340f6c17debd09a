mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name               = "ragfleet"
  vpc_id             = "vpc-1"
  private_subnet_ids = ["subnet-1", "subnet-2"]
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1"
  neo4j_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ragfleet/neo4j-abc"
  redis_token        = "token-of-a-test"
  postgres_password  = "password-of-a-test"
  clients = {
    api    = { security_group_id = "sg-api", stores = ["redis", "postgres", "neo4j"] }
    flower = { security_group_id = "sg-flower", stores = ["redis"] }
  }
}

run "one_node_has_no_failover_and_two_have_one" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.main.automatic_failover_enabled == false
    error_message = "AWS refuses failover of one node."
  }
}

run "two_nodes_fail_over_between_zones" {
  command = plan

  variables {
    redis = { nodes = 2 }
  }

  assert {
    condition     = aws_elasticache_replication_group.main.automatic_failover_enabled && aws_elasticache_replication_group.main.multi_az_enabled
    error_message = "Two nodes are there to fail over."
  }

  assert {
    condition     = toset(keys(output.redis_node_ids)) == toset(["001", "002"])
    error_message = "Alarms want each node."
  }
}

run "clients_reach_the_stores_they_name_and_no_other" {
  command = plan

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["api-redis", "api-postgres", "flower-redis"])
    error_message = "An arrow for each client and store that is there."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.client["api-postgres"].referenced_security_group_id == "sg-api" && aws_vpc_security_group_ingress_rule.client["api-postgres"].from_port == 5432
    error_message = "From the client's group to PostgreSQL's port."
  }
}

run "the_graph_in_postgres_makes_no_neo4j" {
  command = plan

  assert {
    condition     = length(aws_instance.neo4j) == 0 && output.graph_storage == "PGTableGraphStorage" && output.neo4j_uri == null
    error_message = "Nothing of Neo4j is paid for."
  }
}

run "aura_is_an_address_and_a_secret" {
  command = plan

  variables {
    graph    = "aura"
    aura_uri = "neo4j+s://1234.databases.neo4j.io"
  }

  assert {
    condition     = output.neo4j_uri == "neo4j+s://1234.databases.neo4j.io" && output.graph_storage == "Neo4JStorage"
    error_message = "The address goes through as it is."
  }
}

run "aura_without_tls_is_refused" {
  command = plan

  variables {
    graph    = "aura"
    aura_uri = "neo4j://1234.databases.neo4j.io"
  }

  expect_failures = [var.aura_uri]
}

run "a_neo4j_of_ones_own_is_closed_encrypted_and_copied" {
  command = apply

  variables {
    graph = "ec2"
  }

  override_resource {
    target = aws_ebs_volume.neo4j
    values = { id = "vol-0123" }
  }

  override_resource {
    target = aws_network_interface.neo4j
    values = { private_dns_name = "ip-10-20-128-7.eu-central-1.compute.internal" }
  }

  assert {
    condition     = aws_instance.neo4j[0].metadata_options[0].http_tokens == "required"
    error_message = "Credentials of the role want a session token."
  }

  assert {
    condition     = aws_ebs_volume.neo4j[0].encrypted && aws_instance.neo4j[0].root_block_device[0].encrypted
    error_message = "Both disks are encrypted."
  }

  assert {
    condition     = aws_dlm_lifecycle_policy.neo4j[0].policy_details[0].target_tags["Snapshots"] == aws_ebs_volume.neo4j[0].tags["Snapshots"]
    error_message = "The disk must carry the tag that the snapshots look for."
  }

  assert {
    condition     = output.neo4j_uri == "bolt+ssc://ip-10-20-128-7.eu-central-1.compute.internal:7687"
    error_message = "The address that stays."
  }

  assert {
    condition     = strcontains(aws_instance.neo4j[0].user_data, "nvme-Amazon_Elastic_Block_Store_vol0123") && strcontains(aws_instance.neo4j[0].user_data, "tls_level=REQUIRED")
    error_message = "The data disk is found by its serial number, and Bolt speaks TLS."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.client["api-neo4j"].from_port == 7687 && !contains(keys(aws_vpc_security_group_ingress_rule.client), "flower-neo4j")
    error_message = "Clients that name it reach it."
  }
}

run "aurora_pauses_only_at_zero" {
  command = plan

  variables {
    postgres = { min_acu = 0 }
  }

  assert {
    condition     = aws_rds_cluster.main.serverlessv2_scaling_configuration[0].seconds_until_auto_pause == 600
    error_message = "Zero pauses."
  }
}

run "aurora_at_half_a_unit_knows_no_pause" {
  command = plan

  variables {
    postgres = { min_acu = 0.5 }
  }

  assert {
    condition     = aws_rds_cluster.main.serverlessv2_scaling_configuration[0].seconds_until_auto_pause == null
    error_message = "AWS refuses a pause above zero."
  }
}

run "a_cluster_or_serverless_redis_is_refused" {
  command = plan

  variables {
    redis = { node_type = "serverless" }
  }

  expect_failures = [var.redis]
}

run "an_engine_and_a_family_that_do_not_fit_are_refused" {
  command = plan

  variables {
    redis = { engine = "redis", family = "valkey8" }
  }

  expect_failures = [var.redis]
}

run "another_postgresql_than_16_is_refused" {
  command = plan

  variables {
    postgres = { engine_version = "15.10" }
  }

  expect_failures = [var.postgres]
}

run "what_may_be_lost_can_be_deleted" {
  command = plan

  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_rds_cluster.main.deletion_protection && aws_rds_cluster.main.skip_final_snapshot && aws_s3_bucket.main["uploads"].force_destroy
    error_message = "Without protection nothing stands in the way."
  }
}
