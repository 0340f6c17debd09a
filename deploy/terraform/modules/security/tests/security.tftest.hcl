mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  name = "ragfleet"
}

run "without_a_repository_github_gets_nothing" {
  command = plan

  assert {
    condition     = length(aws_iam_role.github) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "No repository, no role."
  }
}

run "each_role_lets_in_one_kind_of_run" {
  command = plan

  variables {
    github_repository = "example/lightrag-fleet"
  }

  assert {
    condition     = toset(keys(aws_iam_role.github)) == toset(["images", "plan", "deploy", "apply"])
    error_message = "Four roles."
  }

  assert {
    condition = alltrue([
      for name, subjects in {
        images = ["repo:example/lightrag-fleet:ref:refs/heads/main"]
        plan   = ["repo:example/lightrag-fleet:pull_request", "repo:example/lightrag-fleet:ref:refs/heads/main"]
        deploy = ["repo:example/lightrag-fleet:environment:production"]
        apply  = ["repo:example/lightrag-fleet:environment:production"]
      } :
      toset(flatten([
        for condition in data.aws_iam_policy_document.github_assume[name].statement[0].condition :
        condition.values if endswith(condition.variable, ":sub")
      ])) == toset(subjects)
    ])
    error_message = "A run of another kind must find the door shut."
  }
}

run "a_star_in_the_repository_is_refused" {
  command = plan

  variables {
    github_repository = "example/*"
  }

  expect_failures = [var.github_repository]
}

run "the_plan_of_a_pull_request_cannot_write_the_state" {
  command = plan

  variables {
    github_repository = "example/lightrag-fleet"
    state_bucket      = "state"
  }

  assert {
    condition     = !contains(data.aws_iam_policy_document.state["plan"].statement[1].actions, "s3:PutObject")
    error_message = "Only apply writes the state."
  }

  assert {
    condition     = contains(data.aws_iam_policy_document.state["apply"].statement[1].actions, "s3:PutObject")
    error_message = "Apply must write the state."
  }
}

run "the_trail_covers_all_regions_and_is_signed" {
  command = plan

  assert {
    condition     = aws_cloudtrail.main[0].is_multi_region_trail && aws_cloudtrail.main[0].enable_log_file_validation
    error_message = "Whoever breaks in uses another region first."
  }
}

run "an_account_that_is_watched_already_is_left_alone" {
  command = plan

  variables {
    cloudtrail = false
    guardduty  = false
  }

  assert {
    condition     = length(aws_cloudtrail.main) == 0 && length(aws_s3_bucket.trail) == 0 && length(aws_guardduty_detector.main) == 0 && length(aws_guardduty_detector_feature.main) == 0
    error_message = "There can be only one detector."
  }
}

run "the_key_turns_over_every_year" {
  command = plan

  assert {
    condition     = aws_kms_key.main.enable_key_rotation
    error_message = "Rotation is on."
  }
}
