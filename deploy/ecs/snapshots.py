"""Take a snapshot of Aurora and one of ElastiCache, and wait until both can be restored from."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from deploy.ecs.command import client, end, say
from deploy.ecs.errors import DeployError
from deploy.ecs.services import Patience

# Of a large cluster: the first one copies everything.
_AT_MOST_S = 7200

Client = Any
"""boto3 makes its classes as it goes."""


class SnapshotFailedError(DeployError):
    """A snapshot was not made; the stores are as they were."""

    code = "snapshot_failed"


def snapshot_aurora(rds: Client, cluster: str, name: str, patience: Patience) -> None:
    """Take one of a cluster; `create-db-snapshot` is for instances and does not know Aurora's.

    Raises:
        SnapshotFailedError: it did not become available.
    """
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster)
    _await(name, patience, lambda: _state_of_aurora(rds, name))


def snapshot_redis(elasticache: Client, group: str, name: str, patience: Patience) -> None:
    """Take one of a replication group.

    Raises:
        SnapshotFailedError: it did not become available.
    """
    elasticache.create_snapshot(ReplicationGroupId=group, SnapshotName=name)
    _await(name, patience, lambda: _state_of_redis(elasticache, name))


def _state_of_aurora(rds: Client, name: str) -> str:
    (found,) = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)[
        "DBClusterSnapshots"
    ]
    return str(found["Status"])


def _state_of_redis(elasticache: Client, name: str) -> str:
    (found,) = elasticache.describe_snapshots(SnapshotName=name)["Snapshots"]
    return str(found["SnapshotStatus"])


def _await(name: str, patience: Patience, state: Callable[[], str]) -> None:
    for _ in range(patience.looks()):
        now = state()
        if now == "available":
            say(f"{name} is available.")
            return
        if now == "failed":
            break
        patience.sleep(patience.every_s)
    raise SnapshotFailedError(f"The snapshot {name} is not available ({now}); look at its events.")


def main(arguments: argparse.Namespace) -> None:
    """Take those that the arguments name."""
    name = f"{arguments.prefix}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    patience = Patience(every_s=20, at_most_s=_AT_MOST_S)
    if arguments.aurora:
        snapshot_aurora(client("rds", arguments.region), arguments.aurora, name, patience)
    if arguments.redis:
        snapshot_redis(client("elasticache", arguments.region), arguments.redis, name, patience)


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--region", required=True)
    given.add_argument("--aurora", help="identifier of the Aurora cluster")
    given.add_argument("--redis", help="identifier of the replication group")
    given.add_argument("--prefix", default="ragfleet", help="how names begin (%(default)s)")
    read = given.parse_args()
    end(lambda: main(read))
