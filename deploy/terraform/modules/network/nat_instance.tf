# With nat_instance_type: one small machine in place of a NAT gateway, for a tenth of its price. It is
# the way to models and to AWS; while it is replaced, uploads and answers from stores go on.

locals {
  nat_instance = var.nat_instance_type == null ? 0 : 1
}

data "aws_ssm_parameter" "nat_image" {
  count = local.nat_instance

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_security_group" "nat" {
  count = local.nat_instance

  name        = "${var.name}-nat"
  description = "The machine that is the way out of private subnets"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.name}-nat" }
}

# Models and AWS over HTTPS, Neo4j Aura over its own port.
resource "aws_vpc_security_group_ingress_rule" "nat" {
  for_each = { for rule in setproduct(range(local.nat_instance), values(local.private), [443, 7687]) : "${rule[1]}:${rule[2]}" => { cidr = rule[1], port = rule[2] } }

  security_group_id = aws_security_group.nat[0].id
  description       = "From a private subnet"
  cidr_ipv4         = each.value.cidr
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = "tcp"
}

resource "aws_vpc_security_group_egress_rule" "nat" {
  for_each = toset(local.nat_instance == 0 ? [] : ["443", "7687"])

  security_group_id = aws_security_group.nat[0].id
  description       = "To the internet"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
  ip_protocol       = "tcp"
}

# Address and route stay when the machine is replaced.
resource "aws_network_interface" "nat" {
  count = local.nat_instance

  description       = "${var.name}: NAT"
  subnet_id         = aws_subnet.public[var.availability_zones[0]].id
  security_groups   = [aws_security_group.nat[0].id]
  source_dest_check = false

  tags = { Name = "${var.name}-nat" }
}

resource "aws_eip" "nat_instance" {
  count = local.nat_instance

  domain            = "vpc"
  network_interface = aws_network_interface.nat[0].id

  tags = { Name = "${var.name}-nat" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_instance" "nat" {
  # checkov:skip=CKV_AWS_126:detailed monitoring costs per metric; the two alarms below need none
  # checkov:skip=CKV2_AWS_41:it calls nothing of AWS, so it has no role
  count = local.nat_instance

  ami                         = data.aws_ssm_parameter.nat_image[0].insecure_value
  instance_type               = var.nat_instance_type
  ebs_optimized               = true
  user_data_replace_on_change = true
  user_data                   = templatefile("${path.module}/nat.sh.tftpl", { cidr = var.cidr })

  primary_network_interface {
    network_interface_id = aws_network_interface.nat[0].id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
    kms_key_id  = var.kms_key_arn
  }

  tags = { Name = "${var.name}-nat" }

  # It fetches a package when it starts.
  depends_on = [aws_eip.nat_instance, aws_route.internet]

  lifecycle {
    # A newer image of the system is taken when the machine is replaced anyway.
    ignore_changes = [ami]
  }
}

# AWS moves it to other hardware, or starts it again, without anybody being asked.
resource "aws_cloudwatch_metric_alarm" "nat" {
  for_each = { for metric, action in { StatusCheckFailed_System = "recover", StatusCheckFailed_Instance = "reboot" } : metric => action if local.nat_instance == 1 }

  alarm_name          = "${var.name}-nat-${each.value}"
  alarm_description   = "The way out of private subnets does not answer; AWS does by itself what the name says."
  namespace           = "AWS/EC2"
  metric_name         = each.key
  dimensions          = { InstanceId = aws_instance.nat[0].id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:automate:${data.aws_region.current.region}:ec2:${each.value}"]
}
