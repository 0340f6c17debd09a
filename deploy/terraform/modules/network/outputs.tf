output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.main.id
}

output "vpc_cidr" {
  description = "Its addresses."
  value       = var.cidr
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one in each zone."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets of tasks and stores, one in each zone."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "nat_gateway_ids" {
  description = "The NAT gateways by zone, for alarms; none with nat_instance_type."
  value       = { for zone, gateway in aws_nat_gateway.main : zone => gateway.id }
}

output "endpoint_security_group_id" {
  description = "The group of the interface endpoints; null without them."
  value       = one(aws_security_group.endpoints[*].id)
}
