"""What the cost table counts is what a plan makes."""

from conftest import TERRAFORM, Plan

from deploy.terraform.costs.profile import Profile


def profile_of(plan: Plan) -> Profile:
    return Profile.read(TERRAFORM / "profiles" / f"{plan.profile}.tfvars")


def count(plan: Plan, kind: str) -> int:
    return sum(resource.type == kind for resource in plan.resources)


def test_the_way_out_is_counted(plan: Plan) -> None:
    profile = profile_of(plan)
    assert profile.nat_gateways == count(plan, "aws_nat_gateway")
    # The load balancer has an address in each zone besides.
    assert profile.public_addresses == count(plan, "aws_eip") + 2
    machines = [one.values["instance_type"] for one in plan.resources if one.type == "aws_instance"]
    assert machines == ([profile.nat_machine] if profile.nat_machine else [])


def test_interface_endpoints_are_counted_in_each_zone(plan: Plan) -> None:
    kinds = [one.values["vpc_endpoint_type"] for one in plan.of("aws_vpc_endpoint")]
    assert profile_of(plan).endpoints == 2 * kinds.count("Interface")


def test_secrets_and_keys_are_counted(plan: Plan) -> None:
    profile = profile_of(plan)
    assert profile.secrets == count(plan, "aws_secretsmanager_secret")
    assert profile.keys == count(plan, "aws_kms_key")


def test_rules_of_the_firewall_are_counted(plan: Plan) -> None:
    assert profile_of(plan).waf_rules == len(plan.one("aws_wafv2_web_acl")["rule"])


def test_stores_are_counted(plan: Plan) -> None:
    profile, redis = profile_of(plan), plan.one("aws_elasticache_replication_group")
    assert (profile.redis_engine, profile.redis_node) == (redis["engine"], redis["node_type"])
    assert profile.redis_nodes == redis["num_cache_clusters"]
    assert profile.aurora_instances == len(plan.of("aws_rds_cluster_instance"))
    [scaling] = plan.one("aws_rds_cluster")["serverlessv2_scaling_configuration"]
    assert profile.aurora_most_acu == scaling["max_capacity"]


def test_services_are_counted(plan: Plan) -> None:
    counted = {service.name: service.fewest for service in profile_of(plan).services}
    planned = {
        one.values["name"]: one.values["desired_count"] for one in plan.of("aws_ecs_service")
    }
    assert counted == planned


def test_alarms_and_what_target_tracking_makes_are_counted(plan: Plan) -> None:
    alarms = plan.of("aws_cloudwatch_metric_alarm")
    metrics = sum(
        len([query for query in one.values["metric_query"] if query["metric"]]) or 1
        for one in alarms
    )
    tracking = [
        one
        for one in plan.of("aws_appautoscaling_policy")
        if one.values["policy_type"] == "TargetTrackingScaling"
    ]
    assert profile_of(plan).alarm_metrics == metrics + 2 * len(tracking)
