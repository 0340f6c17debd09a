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
  # What starts in them fetches its image or its packages at once.
  depends_on = [
    aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.s3, aws_vpc_endpoint.interface,
    aws_instance.nat, aws_eip.nat_instance,
  ]
}

output "nat_addresses" {
  description = "By what addresses tasks are seen outside, by a name that is known beforehand."
  value = merge(
    { for zone, address in aws_eip.nat : zone => address.public_ip },
    { for address in aws_eip.nat_instance : "machine" => address.public_ip },
  )
}

output "nat_gateway_ids" {
  description = "The NAT gateways by zone, for alarms; none with nat_instance_type."
  value       = { for zone, gateway in aws_nat_gateway.main : zone => gateway.id }
}
