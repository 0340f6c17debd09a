"""The security groups of the stores that settings name, where they are of this account."""

from ops.doctor.security.asking import ask, open_client
from shared.settings import Settings


def groups_of_stores(settings: Settings) -> tuple[set[str], list[str]]:
    """Find Aurora by its endpoint and ElastiCache by its address.

    Returns:
        Their groups, and the settings that name what was not found.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    found = {
        "POSTGRES_HOST": _of_postgres(settings.postgres.host),
        "REDIS_HOST": _of_redis(settings.redis.host),
    }
    groups = {group for some in found.values() for group in some}
    return groups, [name for name, some in found.items() if not some]


def _of_postgres(host: str) -> set[str]:
    rds = open_client("rds")
    clusters = ask(rds.describe_db_clusters)["DBClusters"]
    return {
        group["VpcSecurityGroupId"]
        for cluster in clusters
        if host in {cluster.get("Endpoint"), cluster.get("ReaderEndpoint")}
        for group in cluster.get("VpcSecurityGroups", [])
    }


def _of_redis(host: str) -> set[str]:
    elasticache = open_client("elasticache")
    groups = ask(elasticache.describe_replication_groups)["ReplicationGroups"]
    members = {
        member
        for group in groups
        for node in group.get("NodeGroups", [])
        if node.get("PrimaryEndpoint", {}).get("Address") == host
        for member in group.get("MemberClusters", [])
    }
    nodes = ask(elasticache.describe_cache_clusters)["CacheClusters"] if members else []
    return {
        group["SecurityGroupId"]
        for node in nodes
        if node["CacheClusterId"] in members
        for group in node.get("SecurityGroups", [])
    }
