"""An installation on ECS, as moto knows it."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.ecs.description import ROLL_ORDER, Description, read_description
from deploy.ecs.services import Patience
from tests.integration.aws.enacted import Enacted
from tests.s3_server import S3Server, give_credentials

REGION = "eu-central-1"
AT_ONCE = Patience(every_s=1, at_most_s=6, sleep=lambda _: None)


@pytest.fixture
def enacted() -> Enacted:
    return Enacted()


@pytest.fixture
def endpoint(
    s3_server: S3Server, enacted: Enacted, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Where AWS is; every client of this process finds it by itself."""
    give_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    s3_server.fault = enacted
    yield s3_server.url
    s3_server.fault = None


@dataclass(frozen=True)
class Installation:
    """Services that run version 1, and the file that says they should run version 2."""

    ecs: Any
    cluster: str
    file: Path
    found: Description
    first: dict[str, str]
    """The task definition of version 1, by the service's name."""

    @property
    def second(self) -> dict[str, str]:
        return {tier.service: tier.task_definition for tier in self.found.tiers}

    def runs(self) -> dict[str, str]:
        answer = self.ecs.describe_services(
            cluster=self.cluster, services=[tier.service for tier in self.found.tiers]
        )
        return {one["serviceName"]: one["taskDefinition"] for one in answer["services"]}


@pytest.fixture
def installation(endpoint: str, tmp_path: Path) -> Iterator[Installation]:
    ecs = boto3.client("ecs")
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    # As ours has them; moto's tasks fall over without.
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="tasks", Description="tasks")["GroupId"]
    network = {
        "awsvpcConfiguration": {
            "subnets": [subnet],
            "securityGroups": [group],
            "assignPublicIp": "DISABLED",
        }
    }
    name = f"rag-{secrets.token_hex(3)}"
    ecs.create_cluster(clusterName=name)
    services, first = {}, {}
    for tier in ROLL_ORDER:
        first[tier] = define(ecs, f"{name}-{tier}", tier, "1")
        ecs.create_service(
            cluster=name,
            serviceName=tier,
            taskDefinition=first[tier],
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration=network,
        )
        second = define(ecs, f"{name}-{tier}", tier, "2")
        services[tier] = {"service": tier, "task_definition": second}
    init = {
        "task_definition": define(ecs, f"{name}-init", "init", "2"),
        "container": "init",
        "network_configuration": network,
    }
    file = tmp_path / "deployment.json"
    said = {"region": REGION, "cluster": name, "api_url": "https://rag.example.com"}
    file.write_text(json.dumps(said | {"init": init, "services": services}))
    yield Installation(ecs, name, file, read_description(file), first)
    ecs.close()
    ec2.close()


def define(ecs: Any, family: str, container: str, version: str) -> str:
    answer = ecs.register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        # moto adds up the memory of containers, and cannot add none.
        containerDefinitions=[{"name": container, "image": f"example:{version}", "memory": 512}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])
