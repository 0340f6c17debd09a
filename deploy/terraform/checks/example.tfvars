# What a profile cannot know, for checks alone.
certificate_arn   = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
domain            = { name = "rag.example.com", zone_id = "Z0000000000EXAMPLE" }
github_repository = "example/lightrag-fleet"
state_bucket      = "ragfleet-terraform-example"
alarm_emails      = ["operations@example.com"]
images = {
  api    = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragfleet/lightrag-fleet-api@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  worker = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ragfleet/lightrag-fleet-worker@sha256:1111111111111111111111111111111111111111111111111111111111111111"
}
