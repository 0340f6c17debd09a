mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name               = "ragfleet"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/1"
}

run "one_nat_gateway_serves_both_zones_unless_told_otherwise" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.main) == 1
    error_message = "One NAT gateway is half the price."
  }

  assert {
    condition     = length(aws_route.nat) == 2
    error_message = "Both private subnets need a way out."
  }
}

run "each_zone_has_its_own_way_out_in_production" {
  command = plan

  variables {
    nat_gateway_per_zone = true
    interface_endpoints  = true
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 2
    error_message = "A zone's end must leave the other its way out."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
    error_message = "Image, log and secrets are what a task needs to start."
  }
}

run "without_interface_endpoints_none_is_paid_for" {
  command = plan

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "The gateway to S3 is free; interfaces are not."
  }
}

run "subnets_are_cut_from_the_network_without_overlap" {
  command = plan

  variables {
    cidr = "10.99.0.0/16"
  }

  assert {
    condition = toset(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block],
      [for subnet in aws_subnet.private : subnet.cidr_block],
    )) == toset(["10.99.0.0/20", "10.99.16.0/20", "10.99.128.0/20", "10.99.144.0/20"])
    error_message = "Four parts of sixteen."
  }
}

run "a_network_too_small_to_cut_is_refused" {
  command = plan

  variables {
    cidr = "10.99.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    availability_zones = ["eu-central-1a"]
  }

  expect_failures = [var.availability_zones]
}
