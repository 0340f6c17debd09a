"""`ragfleet doctor --security --aws-cluster` of what runs on ECS, against moto."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from ops.doctor.security.asking import NotAnsweredError, answered
from ops.doctor.security.cluster_checks import (
    TASKS,
    check_groups,
    check_secrets,
    check_tasks,
    check_waf,
    read_cluster,
)
from ops.doctor.security.examining import examine_security
from ops.doctor.security.store_groups import groups_of_stores
from shared.settings import load_settings
from tests.integration.aws.conftest import Installation, define


def test_tasks_in_private_subnets_are_fine_and_others_are_not(
    installation: Installation,
) -> None:
    assert check_tasks(read_cluster(installation.cluster)).status == "ok"

    ec2 = boto3.client("ec2")
    network = installation.found.init.network["awsvpcConfiguration"]
    (subnet,) = ec2.describe_subnets(SubnetIds=network["subnets"])["Subnets"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=subnet["VpcId"])
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
        "RouteTables"
    ]
    ec2.create_route(
        RouteTableId=table["RouteTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway,
    )
    public = check_tasks(read_cluster(installation.cluster))
    assert public.status == "error"
    assert subnet["SubnetId"] in public.sentence


def test_a_public_address_is_wrong(installation: Installation) -> None:
    network = json.loads(json.dumps(installation.found.init.network))
    network["awsvpcConfiguration"]["assignPublicIp"] = "ENABLED"
    installation.ecs.create_service(
        cluster=installation.cluster,
        serviceName="open",
        taskDefinition=installation.first["api"],
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    found = check_tasks(read_cluster(installation.cluster))
    assert found.status == "error"
    assert "open has public addresses" in found.sentence


@pytest.fixture
def store(installation: Installation) -> Iterator[tuple[str, str, dict[str, str]]]:
    """A database with a security group of its own; the tasks' one; settings that name it."""
    ec2, rds = boto3.client("ec2"), boto3.client("rds")
    network = installation.found.init.network["awsvpcConfiguration"]
    (tasks,) = network["securityGroups"]
    (group,) = ec2.describe_security_groups(GroupIds=[tasks])["SecurityGroups"]
    own = ec2.create_security_group(VpcId=group["VpcId"], GroupName="store", Description="store")
    rds.create_db_cluster(
        DBClusterIdentifier=installation.cluster,
        Engine="aurora-postgresql",
        MasterUsername="lightrag",
        MasterUserPassword="invented-password",
        VpcSecurityGroupIds=[own["GroupId"]],
    )
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=installation.cluster)["DBClusters"]
    settings = {"USE_EXTERNAL_STORAGE": "true", "POSTGRES_HOST": cluster["Endpoint"]}
    yield own["GroupId"], tasks, settings
    rds.delete_db_cluster(DBClusterIdentifier=installation.cluster, SkipFinalSnapshot=True)


def allow(group: str, **source: Any) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **source}
    boto3.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def test_stores_let_in_the_tasks_alone(
    installation: Installation, store: tuple[str, str, dict[str, str]]
) -> None:
    group, tasks, variables = store
    stores, not_found = groups_of_stores(load_settings(None, overrides=variables))
    assert (stores, not_found) == ({group}, ["REDIS_HOST"])
    cluster = read_cluster(installation.cluster)
    allow(group, UserIdGroupPairs=[{"GroupId": tasks}])
    assert check_groups(cluster, stores).status == "ok"
    half = check_groups(cluster, stores, not_found)
    assert half.status == "warning", "nobody looked at the groups of Redis"
    assert "REDIS_HOST" in half.sentence

    allow(group, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    found = check_groups(cluster, stores)
    assert found.status == "error"
    assert f"{group} lets in everybody" in found.sentence


def test_a_list_of_addresses_is_no_security_group(
    installation: Installation, store: tuple[str, str, dict[str, str]]
) -> None:
    group, _, _ = store
    ec2 = boto3.client("ec2")
    many = ec2.create_managed_prefix_list(
        PrefixListName="many",
        MaxEntries=1,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "0.0.0.0/0"}],
    )["PrefixList"]["PrefixListId"]
    allow(group, PrefixListIds=[{"PrefixListId": many}])
    told = check_groups(read_cluster(installation.cluster), {group})
    assert told.status == "error"
    assert f"{group} lets in {many}" in told.sentence


def test_a_stores_other_guests_are_named(
    installation: Installation, store: tuple[str, str, dict[str, str]]
) -> None:
    group, _, _ = store
    ec2 = boto3.client("ec2")
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    stranger = ec2.create_security_group(
        VpcId=found["VpcId"], GroupName="stranger", Description="stranger"
    )["GroupId"]
    allow(group, UserIdGroupPairs=[{"GroupId": stranger}])
    told = check_groups(read_cluster(installation.cluster), {group})
    assert told.status == "error"
    assert stranger in told.sentence


def test_secrets_as_text_in_a_task_definition_are_named_and_not_shown(
    installation: Installation,
) -> None:
    assert check_secrets(read_cluster(installation.cluster)).status == "ok"
    family = f"{installation.cluster}-odd"
    definition = installation.ecs.register_task_definition(
        family=family,
        containerDefinitions=[
            {
                "name": "api",
                "image": "example:1",
                "memory": 512,
                "environment": [
                    {"name": "POSTGRES_PASSWORD", "value": "seen-by-all"},
                    {"name": "CACHE_ADDRESS", "value": "rediss://:seen-as-well@cache:6379"},
                    {"name": "API_KEY_FILE", "value": "/run/secrets/api_key"},
                    {"name": "LLM_TOKENS_PER_MINUTE", "value": "100000"},
                    {"name": "LLM_BASE_URL", "value": "https://models.example.com/v1"},
                ],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    installation.ecs.update_service(
        cluster=installation.cluster, service="flower", taskDefinition=definition
    )
    found = check_secrets(read_cluster(installation.cluster))
    assert found.status == "error"
    assert "(flower: CACHE_ADDRESS, POSTGRES_PASSWORD)" in found.sentence
    assert "seen" not in found.sentence.partition("change them")[0]


@pytest.mark.long
def test_a_load_balancer_wants_a_web_acl(installation: Installation) -> None:
    ec2, elb, waf = boto3.client("ec2"), boto3.client("elbv2"), boto3.client("wafv2")
    network = installation.found.init.network["awsvpcConfiguration"]
    (subnet,) = ec2.describe_subnets(SubnetIds=network["subnets"])["Subnets"]
    other = ec2.create_subnet(
        VpcId=subnet["VpcId"], CidrBlock="10.0.9.0/24", AvailabilityZone="eu-central-1b"
    )["Subnet"]["SubnetId"]
    balancer = elb.create_load_balancer(
        Name=installation.cluster, Subnets=[subnet["SubnetId"], other]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    targets = elb.create_target_group(
        Name=installation.cluster,
        Protocol="HTTP",
        Port=8000,
        VpcId=subnet["VpcId"],
        TargetType="ip",
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
    )
    with pytest.raises(NotAnsweredError, match="no service of this cluster has a load balancer"):
        check_waf(read_cluster(installation.cluster))
    installation.ecs.create_service(
        cluster=installation.cluster,
        serviceName="behind",
        taskDefinition=define(installation.ecs, f"{installation.cluster}-b", "api", "1"),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=installation.found.init.network,
        loadBalancers=[{"targetGroupArn": targets, "containerName": "api", "containerPort": 8000}],
    )
    assert check_waf(read_cluster(installation.cluster)).status == "error"
    visibility = {
        "SampledRequestsEnabled": True,
        "CloudWatchMetricsEnabled": True,
        "MetricName": "x",
    }
    acl = waf.create_web_acl(
        Name=installation.cluster,
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visibility,
    )["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=balancer)
    assert check_waf(read_cluster(installation.cluster)).status == "ok"


def test_a_cluster_that_is_not_there_is_not_checked(endpoint: str) -> None:
    def work() -> Any:
        return check_tasks(read_cluster("nowhere"))

    found = answered(TASKS, work)
    assert found.status == "skipped"
    assert "ClusterNotFoundException" in found.sentence


async def test_all_of_it_together_says_something_of_each(
    installation: Installation, tmp_path: Any
) -> None:
    settings = load_settings(
        None, overrides={"USE_EXTERNAL_STORAGE": "false", "DATA_DIR": str(tmp_path)}
    )
    found, repairs = await examine_security(
        settings, cluster=installation.cluster, env_file=tmp_path / ".env"
    )
    told = {one.code: one.status for one in found if "_aws_" in one.code}
    assert repairs == []
    assert told == {
        "doctor.security_aws_cloudtrail": "error",
        "doctor.security_aws_guardduty": "error",
        "doctor.security_aws_waf": "skipped",
        "doctor.security_aws_tasks": "ok",
        "doctor.security_aws_security_groups": "warning",
        "doctor.security_aws_secrets": "ok",
    }
