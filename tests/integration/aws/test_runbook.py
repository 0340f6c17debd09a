"""The `sh` blocks of docs/operations/phase-3.md, typed one after the other against moto."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops.init_env import write_env
from tests.integration.aws.conftest import REGION, Installation
from tests.integration.aws.rehearsal import AWS, ROOT, variables_of
from tests.services import not_available
from tests.unit.deploy.docker_compose import compose
from tests.unit.docs.typed import blocks

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs/operations/phase-3.md").read_text(encoding="utf-8")
NAME = "rag.example.com."
SECRETS = {
    "redis": "token-of-redis",
    "api-key": "key-of-the-api",
    "postgres": '{"username":"lightrag","password":"word-of-postgres"}',
    "neo4j": '{"username":"neo4j","password":"word-of-neo4j"}',
}
SETTINGS = {
    "USE_EXTERNAL_STORAGE": "true",
    "DATA_DIR": "/data",
    "REDIS_HOST": "redis.example.com",
    "POSTGRES_HOST": "postgres.example.com",
    "POSTGRES_SSLMODE": "require",
    "NEO4J_URI": "neo4j+s://aura.example.com",
    "S3_BUCKET": "uploads",
    "METRICS_HOST": "127.0.0.1",
}


@pytest.fixture
def tasks(endpoint: str, tmp_path: Path) -> Iterator[str]:
    """What tasks are told, and a host after `ragfleet init-env`; answers where AWS is."""
    if not AWS.exists():
        not_available("AWS's command line is missing: `make .venv-aws/stamp` fetches it")
    secrets, ecs = boto3.client("secretsmanager"), boto3.client("ecs")
    for name, value in SECRETS.items():
        secrets.create_secret(Name=f"ragfleet/{name}", SecretString=value)
    ecs.register_task_definition(
        family="ragfleet-worker-commit",
        containerDefinitions=[
            {
                "name": "worker-commit",
                "image": "example:2",
                "memory": 512,
                "environment": [{"name": one, "value": value} for one, value in SETTINGS.items()],
            }
        ],
    )
    write_env(tmp_path)
    (tmp_path / "global-bundle.pem").touch()
    yield endpoint
    for name in SECRETS:
        secrets.delete_secret(SecretId=f"ragfleet/{name}", ForceDeleteWithoutRecovery=True)
    for client in (secrets, ecs):
        client.close()


@pytest.fixture
def ground(tasks: str, installation: Installation) -> Iterator[dict[str, str]]:
    """What Terraform made, and the zone whose name means the host, by the page's words."""
    scaling, route53 = boto3.client("application-autoscaling"), boto3.client("route53")
    rds, elasticache = boto3.client("rds"), boto3.client("elasticache")
    ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
    scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{installation.cluster}/api",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=10,
    )
    rds.create_db_cluster(
        DBClusterIdentifier="ragfleet",
        Engine="aurora-postgresql",
        MasterUsername="lightrag",
        MasterUserPassword="invented-password",
    )
    elasticache.create_replication_group(
        ReplicationGroupId="ragfleet", ReplicationGroupDescription="messages and rows"
    )
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    balancer = elb.create_load_balancer(Name="ragfleet", Subnets=subnets)["LoadBalancers"][0]
    zone = route53.create_hosted_zone(Name="example.com", CallerReference=tasks)
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    point(route53, zone_id, "192.0.2.7")
    yield {"ZONE": zone_id, "REGION": REGION, "BALANCER": balancer["DNSName"]}
    for client in (scaling, rds, elasticache, ec2, elb, route53):
        client.close()


def point(route53: Any, zone: str, address: str) -> None:
    record = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)


def meaning(zone: str) -> str:
    """Return what the name means now."""
    route53 = boto3.client("route53")
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    route53.close()
    (found,) = [one for one in records if one["Name"] == NAME]
    if "AliasTarget" in found:
        return str(found["AliasTarget"]["DNSName"]).rstrip(".")
    return str(found["ResourceRecords"][0]["Value"])


def typed(block: str, folder: Path, ground: dict[str, str], endpoint: str) -> str:
    for name, value in ground.items():
        block = re.sub(rf"\b{name}\b", value, block)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=variables_of(endpoint, region=REGION)
        | {"PATH": f"{Path(sys.executable).parent}:{AWS.parent}:{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_phase_3_there_and_back_and_there_again(
    installation: Installation, ground: dict[str, str], endpoint: str, tmp_path: Path
) -> None:
    page = iter(blocks(PAGE, "sh"))

    def then() -> str:
        return typed(next(page), tmp_path, ground, endpoint)

    assert "ended with exit code 0" in then()
    assert meaning(ground["ZONE"]) == "192.0.2.7"
    assert "a document went through" in then()
    assert meaning(ground["ZONE"]) == ground["BALANCER"]
    assert then().count("is available.") == 2  # Aurora's and ElastiCache's

    then()
    for name, wanted in {
        "redis_password": "token-of-redis",
        "api_key": "key-of-the-api",
        "postgres_password": "word-of-postgres",
        "neo4j_password": "word-of-neo4j",
    }.items():
        assert (tmp_path / "secrets" / name).read_text().strip() == wanted

    assert "asks again" in then()
    assert meaning(ground["ZONE"]) == "192.0.2.7"
    assert "No task runs any more" in then()
    assert set(counts(installation).values()) == {0}
    assert "All tiers are at work" in then()
    assert set(counts(installation).values()) == {2}
    assert meaning(ground["ZONE"]) == ground["BALANCER"]
    assert list(page) == []


def test_real_compose_takes_the_settings_that_the_page_makes_of_the_tasks(
    tasks: str, tmp_path: Path
) -> None:
    (block,) = [one for one in blocks(PAGE, "sh") if "describe-task-definition" in one]
    typed(block, tmp_path, {}, tasks)
    for path in ROOT.glob("docker-compose*.yml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())

    code, said = compose(tmp_path, [], "config", "--format", "json")
    assert code == 0, said
    found = json.loads(said)["services"]
    assert "redis" not in found
    environment = found["api"]["environment"]
    assert environment["REDIS_HOST"] == "redis.example.com"
    assert environment["POSTGRES_SSLMODE"] == "verify-full"


def counts(installation: Installation) -> dict[str, int]:
    answer = installation.ecs.describe_services(
        cluster=installation.cluster, services=[tier.service for tier in installation.found.tiers]
    )
    return {one["serviceName"]: one["desiredCount"] for one in answer["services"]}
