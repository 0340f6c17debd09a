# Arrows into the stores: only from the groups of the services, each on the port of that store. No
# rule lets a store speak to anybody, so there is no arrow out.

locals {
  ports = merge(
    { redis = 6379, postgres = 5432 },
    var.graph == "ec2" ? { neo4j = 7687 } : {},
  )

  arrows = merge([
    for name, client in var.clients : {
      for store in client.stores :
      "${name}-${store}" => { store = store, client = name, group = client.security_group_id }
      if contains(keys(local.ports), store)
    }
  ]...)
}

resource "aws_security_group" "store" {
  # checkov:skip=CKV2_AWS_5:attached to each store by its key, which checkov does not follow
  for_each = local.ports

  name        = "${var.name}-${each.key}"
  description = "${each.key}: in from services of ECS"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.arrows

  security_group_id            = aws_security_group.store[each.value.store].id
  description                  = "${each.value.client} to ${each.value.store}"
  referenced_security_group_id = each.value.group
  from_port                    = local.ports[each.value.store]
  to_port                      = local.ports[each.value.store]
  ip_protocol                  = "tcp"
}
