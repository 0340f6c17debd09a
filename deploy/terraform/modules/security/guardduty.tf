# GuardDuty reads CloudTrail, flow and DNS logs by itself, and uploads when S3 protection is on.

resource "aws_guardduty_detector" "main" {
  # checkov:skip=CKV2_AWS_3:this speaks for one installation's account, not for an organisation
  count = var.guardduty ? 1 : 0

  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_guardduty_detector_feature" "main" {
  for_each = toset(var.guardduty ? ["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"] : [])

  detector_id = aws_guardduty_detector.main[0].id
  name        = each.key
  status      = "ENABLED"
}
