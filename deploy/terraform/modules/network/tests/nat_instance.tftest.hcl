# A machine in place of a gateway, for those who pay themselves.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-1" }
  }
  mock_resource "aws_network_interface" {
    defaults = { id = "eni-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/r" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:g" }
  }
}

variables {
  name               = "ragfleet"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1"
  nat_instance_type  = "t4g.nano"
}

run "both_zones_go_out_through_the_machine" {
  assert {
    condition     = length(aws_nat_gateway.main) == 0 && alltrue([for route in values(aws_route.nat) : route.network_interface_id == "eni-1"])
    error_message = "No gateway is paid for, and both private subnets have a way out."
  }

  assert {
    condition     = aws_network_interface.nat[0].source_dest_check == false
    error_message = "It passes on what is not for itself."
  }
}

run "it_takes_only_what_comes_from_private_subnets" {
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.nat) : rule.cidr_ipv4]) == toset(values(local.private))
    error_message = "Nobody of the internet gets to it."
  }

  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_egress_rule.nat) : rule.from_port]) == toset([443, 7687])
    error_message = "HTTPS and Neo4j Aura, nothing else."
  }
}

run "it_is_brought_back_without_anybody" {
  assert {
    condition = toset(flatten([for alarm in values(aws_cloudwatch_metric_alarm.nat) : alarm.alarm_actions])) == toset([
      "arn:aws:automate:eu-central-1:ec2:recover", "arn:aws:automate:eu-central-1:ec2:reboot"
    ])
    error_message = "Other hardware, or a new start."
  }
}

run "a_machine_for_each_zone_there_is_not" {
  command = plan

  variables {
    nat_gateway_per_zone = true
  }

  expect_failures = [var.nat_instance_type]
}

run "a_machine_with_another_processor" {
  command = plan

  variables {
    nat_instance_type = "t3.nano"
  }

  expect_failures = [var.nat_instance_type]
}
