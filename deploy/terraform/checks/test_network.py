"""Arrows: internet → load balancer → API → stores, workers → stores, and no other."""

import json

from conftest import Plan

STORES = {"redis": 6379, "postgres": 5432}
EVERYBODY = {"0.0.0.0/0", "::/0"}


def test_only_the_load_balancer_lets_the_internet_in(plan: Plan) -> None:
    open_rules = [
        rule
        for rule in plan.of("aws_vpc_security_group_ingress_rule")
        if {rule.values.get("cidr_ipv4"), rule.values.get("cidr_ipv6")} & EVERYBODY
    ]
    assert open_rules
    for rule in open_rules:
        assert rule.address.startswith("module.edge."), rule.address
        assert rule.values["from_port"] in {80, 443}


def test_stores_let_in_security_groups_and_no_addresses(plan: Plan) -> None:
    rules = [
        rule
        for rule in plan.of("aws_vpc_security_group_ingress_rule")
        if rule.address.startswith("module.data.")
    ]
    assert rules
    for rule in rules:
        assert rule.values.get("cidr_ipv4") is None, rule.address
        store = rule.address.partition('["')[2].rstrip('"]').rpartition("-")[2]
        assert rule.values["from_port"] == rule.values["to_port"] == STORES[store]


def test_each_service_reaches_the_stores_it_uses(plan: Plan) -> None:
    arrows = {
        rule.address.partition('["')[2].rstrip('"]')
        for rule in plan.of("aws_vpc_security_group_ingress_rule")
        if rule.address.startswith("module.data.")
    }
    asks = ("api", "worker-prepare", "worker-extract", "worker-commit", "beat", "init")
    assert {f"{service}-{store}" for service in asks for store in STORES} <= arrows
    assert "flower-postgres" not in arrows


def test_stores_open_no_connections(plan: Plan) -> None:
    outward = [
        rule.address
        for rule in plan.of("aws_vpc_security_group_egress_rule")
        if rule.address.startswith("module.data.")
    ]
    assert outward == []


def test_no_rule_lets_all_ports_or_protocols_through(plan: Plan) -> None:
    for kind in ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
        for rule in plan.of(kind):
            assert rule.values["ip_protocol"] == "tcp", rule.address
            assert rule.values["from_port"] == rule.values["to_port"], rule.address


def test_security_groups_hold_no_rules_of_their_own(plan: Plan) -> None:
    # Rules inside the group and beside it would remove each other at every apply.
    for group in plan.of("aws_security_group"):
        assert not group.values.get("ingress"), group.address
        assert not group.values.get("egress"), group.address


def test_nothing_gets_a_public_address_by_itself(plan: Plan) -> None:
    for subnet in plan.of("aws_subnet"):
        assert not subnet.values.get("map_public_ip_on_launch"), subnet.address
    for service in plan.of("aws_ecs_service"):
        assert service.values["network_configuration"][0]["assign_public_ip"] is False


def test_subnets_are_in_two_zones_and_do_not_overlap(plan: Plan) -> None:
    subnets = plan.of("aws_subnet")
    assert len(subnets) == 4
    assert len({subnet.values["availability_zone"] for subnet in subnets}) == 2
    assert len({subnet.values["cidr_block"] for subnet in subnets}) == 4


def test_a_small_installation_has_a_machine_for_nat_and_a_large_one_a_gateway_in_each_zone(
    small: Plan, production: Plan
) -> None:
    assert "aws_nat_gateway" not in {resource.type for resource in small.resources}
    assert small.one("aws_instance")["instance_type"] == "t4g.nano"
    assert len(production.of("aws_nat_gateway")) == 2


def test_endpoints_keep_traffic_to_aws_inside(small: Plan, production: Plan) -> None:
    kinds = [found.values["vpc_endpoint_type"] for found in small.of("aws_vpc_endpoint")]
    assert kinds == ["Gateway"]
    names = {found.values["service_name"] for found in production.of("aws_vpc_endpoint")}
    for service in ("s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager"):
        assert any(name.endswith(f".{service}") for name in names), service


def test_the_way_in_is_https_of_version_1_2_or_later(plan: Plan) -> None:
    listeners = plan.of("aws_lb_listener")
    secure = [found.values for found in listeners if found.values["protocol"] == "HTTPS"]
    assert len(secure) == 1
    assert secure[0]["ssl_policy"].startswith(
        ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-")
    )
    for found in listeners:
        if found.values["protocol"] == "HTTP":
            [action] = found.values["default_action"]
            assert action["type"] == "redirect", json.dumps(action)
            assert action["redirect"][0]["protocol"] == "HTTPS"
