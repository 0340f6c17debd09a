# The one way in; AWS is not asked.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::fleet-logs" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/fleet/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/fleet/2" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/fleet/1/3" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/fleet/4" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-fleet" }
  }
}

variables {
  name              = "fleet"
  vpc_id            = "vpc-1"
  vpc_cidr          = "10.0.0.0/16"
  public_subnet_ids = ["subnet-a", "subnet-b"]
  certificate_arn   = "arn:aws:acm:eu-central-1:123456789012:certificate/c"
}

run "nothing_is_answered_without_tls" {
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP is answered with the address of HTTPS."
  }
  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "TLS 1.3 is offered."
  }
}

run "a_stream_may_be_silent_as_long_as_a_model_thinks" {
  assert {
    condition     = aws_lb.this.idle_timeout > 180
    error_message = "LLM_TIMEOUT_S is 180."
  }
}

run "an_answer_outlives_the_task_that_goes_away" {
  assert {
    condition     = tonumber(aws_lb_target_group.api.deregistration_delay) > 180
    error_message = "LLM_TIMEOUT_S is 180: an answer may take that long to begin."
  }
}

run "a_drain_shorter_than_an_answer" {
  command = plan
  variables {
    deregistration_delay_s = 60
  }
  expect_failures = [var.deregistration_delay_s]
}

run "a_store_that_is_away_costs_no_task" {
  assert {
    condition     = aws_lb_target_group.api.health_check[0].path == "/livez"
    error_message = "The load balancer asks whether the process lives, not whether its stores do."
  }
}

run "a_health_check_that_looks_at_stores" {
  command = plan
  variables {
    health_check_path = "/readyz"
  }
  expect_failures = [var.health_check_path]
}

run "metrics_are_not_for_everybody" {
  assert {
    condition     = contains(one(aws_lb_listener_rule.metrics.condition).path_pattern[0].values, "/metrics")
    error_message = "/metrics is answered by the load balancer."
  }
}

run "the_load_balancer_reaches_the_api_and_nothing_else" {
  assert {
    condition     = [aws_vpc_security_group_egress_rule.api.from_port, aws_vpc_security_group_egress_rule.api.to_port, aws_vpc_security_group_egress_rule.api.cidr_ipv4] == [8000, 8000, "10.0.0.0/16"]
    error_message = "Out goes only what the API gets."
  }
  assert {
    condition     = toset([for rule in values(aws_vpc_security_group_ingress_rule.this) : rule.from_port]) == toset([80, 443])
    error_message = "In come only HTTP and HTTPS."
  }
}

run "our_own_tasks_are_let_in_where_not_everybody_is" {
  variables {
    allowed_cidrs = ["192.0.2.0/24"]
    own_addresses = { machine = "198.51.100.7" }
  }
  assert {
    condition     = [for rule in values(aws_vpc_security_group_ingress_rule.own) : [rule.cidr_ipv4, rule.from_port]] == [["198.51.100.7/32", 443]]
    error_message = "The probe after a rollover comes through NAT."
  }
}

run "where_everybody_is_let_in_no_rule_is_needed" {
  command = plan
  variables {
    own_addresses = { machine = "198.51.100.7" }
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.own) == 0
    error_message = "0.0.0.0/0 holds it already."
  }
}

run "uploads_may_be_about_anything_but_not_from_anybody" {
  assert {
    condition = [for priority in range(5) : one([for rule in aws_wafv2_web_acl.this.rule : rule.name if rule.priority == priority])] == [
      "RateLimit", "AWSManagedRulesAmazonIpReputationList", "Uploads", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"
    ]
    error_message = "Uploads are let through after the rules about senders and before the rules about bodies."
  }
  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule : (
      length(rule.action[0].allow) == 1 && rule.statement[0].byte_match_statement[0].search_string == "/insert" && rule.statement[0].byte_match_statement[0].positional_constraint == "EXACTLY"
    ) if rule.name == "Uploads"])
    error_message = "The path is /insert, nothing more."
  }
  assert {
    condition = flatten([for rule in aws_wafv2_web_acl.this.rule : [
      for override in rule.statement[0].managed_rule_group_statement[0].rule_action_override : override.name
    ] if rule.name == "AWSManagedRulesCommonRuleSet"]) == ["SizeRestrictions_BODY", "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY"]
    error_message = "Questions may be longer than 8 KB, and about attacks."
  }
}

run "who_asked_is_written_down_where_nobody_else_writes_or_reads" {
  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_s3_bucket_public_access_block.access_logs.restrict_public_buckets
    error_message = "Access logs go into a closed bucket."
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.access_logs.policy).Statement[0].Resource == "arn:aws:s3:::fleet-logs/alb/AWSLogs/123456789012/*" && (
      jsondecode(aws_s3_bucket_policy.access_logs.policy).Statement[0].Principal.Service == "logdelivery.elasticloadbalancing.amazonaws.com"
    )
    error_message = "Load balancers of this account write, below their own prefix."
  }
}

run "a_name_is_given_only_where_there_is_a_zone" {
  variables {
    domain = { name = "rag.example.com", zone_id = "Z1" }
  }
  assert {
    condition     = aws_route53_record.this["this"].name == "rag.example.com"
    error_message = "The record has the domain's name."
  }
}

run "a_name_without_a_zone_is_given_by_somebody_else" {
  command = plan
  variables {
    domain = { name = "rag.example.com" }
  }
  assert {
    condition     = length(aws_route53_record.this) == 0
    error_message = "There is no zone to write into."
  }
}

run "no_certificate" {
  command = plan
  variables {
    certificate_arn = ""
  }
  expect_failures = [var.certificate_arn]
}

run "an_old_tls_policy" {
  command = plan
  variables {
    tls_policy = "ELBSecurityPolicy-2016-08"
  }
  expect_failures = [var.tls_policy]
}

run "an_idle_timeout_shorter_than_a_models" {
  command = plan
  variables {
    idle_timeout_s = 60
  }
  expect_failures = [var.idle_timeout_s]
}
