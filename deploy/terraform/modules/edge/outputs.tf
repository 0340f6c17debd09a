output "target_group_arn" {
  description = "Where the API's service registers its tasks."
  value       = aws_lb_target_group.api.arn
  # A service can register only where a listener sends requests.
  depends_on = [aws_lb_listener.https]
}

output "security_group_id" {
  description = "Whom the API lets in."
  value       = aws_security_group.this.id
}

output "dns_name" {
  description = "The load balancer's own name, for a CNAME."
  value       = aws_lb.this.dns_name
}

output "arn_suffix" {
  description = "The load balancer's dimension in CloudWatch."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn_suffix" {
  description = "The target group's dimension in CloudWatch."
  value       = aws_lb_target_group.api.arn_suffix
}
