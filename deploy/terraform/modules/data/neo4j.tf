# With graph = ec2: a Neo4j of one's own on one machine. It has no public address and no SSH (sign in
# with `aws ssm start-session`), its data lies on a disk that outlives the machine, and the disk is
# copied every day. It is one machine: while it is replaced, documents wait and questions fail.

locals {
  machine   = var.graph == "ec2" ? 1 : 0
  neo4j_uri = var.graph == "ec2" ? "bolt+ssc://${aws_network_interface.neo4j[0].private_dns_name}:7687" : null
}

data "aws_region" "current" {}

data "aws_ssm_parameter" "machine_image" {
  count = local.machine

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

# The address and its name stay when the machine is replaced, and so does NEO4J_URI.
resource "aws_network_interface" "neo4j" {
  count = local.machine

  description     = "${var.name}: Neo4j"
  subnet_id       = var.private_subnet_ids[0]
  security_groups = [aws_security_group.store["neo4j"].id]

  tags = { Name = "${var.name}-neo4j" }
}

# Packages, Secrets Manager and Session Manager: the one arrow out of a store.
resource "aws_vpc_security_group_egress_rule" "neo4j" {
  count = local.machine

  security_group_id = aws_security_group.store["neo4j"].id
  description       = "Packages, Secrets Manager and Session Manager over HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  from_port         = 443
  to_port           = 443
  ip_protocol       = "tcp"
}

resource "aws_ebs_volume" "neo4j" {
  count = local.machine

  # Named, not asked of AWS: an answer that is known only after an apply would make a new disk.
  availability_zone = var.availability_zones[0]
  size              = var.neo4j.disk_gib
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.kms_key_arn
  final_snapshot    = var.deletion_protection

  tags = { Name = "${var.name}-neo4j", Snapshots = "${var.name}-neo4j" }
}

resource "aws_volume_attachment" "neo4j" {
  count = local.machine

  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.neo4j[0].id
  instance_id                    = aws_instance.neo4j[0].id
  stop_instance_before_detaching = true
}

resource "aws_instance" "neo4j" {
  # checkov:skip=CKV_AWS_126:detailed monitoring costs per metric; five minutes are enough for a disk that fills
  # checkov:skip=CKV2_AWS_41:the role is attached by the instance profile below
  count = local.machine

  ami                         = data.aws_ssm_parameter.machine_image[0].insecure_value
  instance_type               = var.neo4j.instance_type
  iam_instance_profile        = aws_iam_instance_profile.neo4j[0].name
  ebs_optimized               = true
  user_data_replace_on_change = true
  user_data = templatefile("${path.module}/neo4j.sh.tftpl", {
    volume   = replace(aws_ebs_volume.neo4j[0].id, "-", "")
    secret   = var.neo4j_secret_arn
    region   = data.aws_region.current.region
    address  = aws_network_interface.neo4j[0].private_dns_name
    version  = var.neo4j.version
    heap_mib = var.neo4j.heap_mib
  })

  primary_network_interface {
    network_interface_id = aws_network_interface.neo4j[0].id
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

  tags = { Name = "${var.name}-neo4j" }

  # The machine asks for its password when it starts.
  depends_on = [aws_iam_role_policy.neo4j]

  lifecycle {
    # A newer image of the system is taken when the machine is replaced anyway.
    ignore_changes = [ami]
  }
}
