"""The security groups of the stores that settings name, where they are of this account."""

from ops.doctor.security.asking import ask, open_client
from shared.settings import Settings


def groups_of_stores(settings: Settings) -> set[str]:
    """Find Aurora by its endpoint and ElastiCache by its address.

    Raises:
        NotAnsweredError: AWS does not answer.
    """
    return _of_postgres(settings.postgres.host) | _of_redis(settings.redis.host)


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
