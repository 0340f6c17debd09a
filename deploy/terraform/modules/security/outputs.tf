output "kms_key_arn" {
  description = "The key of logs, secrets, buckets and stores."
  value       = aws_kms_key.main.arn
}

output "github_role_arns" {
  description = "The roles of GitHub's workflows: images, plan, deploy, apply. Empty without a repository."
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}
