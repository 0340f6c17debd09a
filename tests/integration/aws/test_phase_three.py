"""From ECS back to one host, and to ECS again: stop, snapshots, the name; each is undone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.ecs.capacity import start, stop
from deploy.ecs.description import ROLL_ORDER
from deploy.ecs.dns import point_to, put_back, record_of
from deploy.ecs.errors import DescriptionError
from deploy.ecs.snapshots import SnapshotFailedError, snapshot_aurora, snapshot_redis
from tests.integration.aws.conftest import AT_ONCE, Installation
from tests.integration.aws.enacted import Enacted


@pytest.fixture
def scaling(installation: Installation) -> Iterator[Any]:
    """Autoscaling of the API alone, from 2 to 10."""
    client = boto3.client("application-autoscaling")
    client.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{installation.cluster}/api",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=2,
        MaxCapacity=10,
    )
    yield client
    client.close()


def suspended(scaling: Any) -> set[bool]:
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return set(target["SuspendedState"].values())


def counts_of(installation: Installation) -> dict[str, int]:
    answer = installation.ecs.describe_services(
        cluster=installation.cluster, services=list(ROLL_ORDER)
    )
    return {one["serviceName"]: one["desiredCount"] for one in answer["services"]}


def test_stopping_keeps_autoscaling_from_starting_tasks_again(
    installation: Installation, scaling: Any, enacted: Enacted, tmp_path: Path
) -> None:
    counts = tmp_path / "counts.json"
    stop(installation.ecs, scaling, installation.found, counts, AT_ONCE)

    assert set(counts_of(installation).values()) == {0}
    assert suspended(scaling) == {True}
    assert [asked["service"] for _, asked in enacted.calls] == list(reversed(ROLL_ORDER))
    assert json.loads(counts.read_text()) == dict.fromkeys(ROLL_ORDER, 2)
    # Twice is as good as once.
    stop(installation.ecs, scaling, installation.found, counts, AT_ONCE)
    assert json.loads(counts.read_text()) == dict.fromkeys(ROLL_ORDER, 2)

    start(installation.ecs, scaling, installation.found, counts)
    assert set(counts_of(installation).values()) == {2}
    assert suspended(scaling) == {False}


def test_starting_without_the_counts_changes_nothing(
    installation: Installation, scaling: Any, enacted: Enacted, tmp_path: Path
) -> None:
    with pytest.raises(DescriptionError, match="is not what `capacity stop` wrote"):
        start(installation.ecs, scaling, installation.found, tmp_path / "counts.json")
    assert enacted.calls == []


def test_both_stores_have_a_snapshot_before_anything_else(endpoint: str) -> None:
    rds, elasticache = boto3.client("rds"), boto3.client("elasticache")
    rds.create_db_cluster(
        DBClusterIdentifier="rag",
        Engine="aurora-postgresql",
        MasterUsername="lightrag",
        MasterUserPassword="invented-password",
    )
    elasticache.create_replication_group(
        ReplicationGroupId="rag", ReplicationGroupDescription="messages and rows"
    )

    snapshot_aurora(rds, "rag", "rag-1", AT_ONCE)
    snapshot_redis(elasticache, "rag", "rag-1", AT_ONCE)

    found = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="rag-1")
    assert [one["Status"] for one in found["DBClusterSnapshots"]] == ["available"]
    kept = elasticache.describe_snapshots(SnapshotName="rag-1")["Snapshots"]
    assert [one["SnapshotStatus"] for one in kept] == ["available"]
    for client in (rds, elasticache):
        client.close()


class _Failing:
    """A RDS whose snapshots fail, which moto's never do."""

    def create_db_cluster_snapshot(self, **_asked: str) -> None:
        pass

    def describe_db_cluster_snapshots(self, **_asked: str) -> dict[str, Any]:
        return {"DBClusterSnapshots": [{"Status": "failed"}]}


def test_a_snapshot_that_fails_is_no_snapshot() -> None:
    with pytest.raises(SnapshotFailedError, match="rag-1 is not available"):
        snapshot_aurora(_Failing(), "rag", "rag-1", AT_ONCE)


def test_the_name_means_the_host_and_then_the_load_balancer_again(
    endpoint: str, tmp_path: Path
) -> None:
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference=str(tmp_path))
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    balancer = {
        "HostedZoneId": "Z215JYRZR1TBD5",
        "DNSName": "rag-1.eu-central-1.elb.amazonaws.com.",
        "EvaluateTargetHealth": False,
    }
    record = {"Name": "rag.example.com.", "Type": "A", "AliasTarget": balancer}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=change)
    before = tmp_path / "record.json"

    point_to(route53, zone_id, "rag.example.com", "192.0.2.7", before)
    now = record_of(route53, zone_id, "rag.example.com")
    assert now is not None
    assert now["ResourceRecords"] == [{"Value": "192.0.2.7"}]
    assert now["TTL"] == 60

    put_back(route53, zone_id, before)
    again = record_of(route53, zone_id, "rag.example.com")
    assert again is not None
    assert again["AliasTarget"]["DNSName"].startswith("rag-1.eu-central-1.elb.amazonaws.com")

    with pytest.raises(DescriptionError, match="is the name right"):
        point_to(route53, zone_id, "rga.example.com", "192.0.2.7", before)
    route53.close()
