"""Refuses a Redis that would take some of what is written, and fail in the middle."""

from redis.asyncio import Redis

from shared.connections import redis_url
from shared.errors import RedisClusterError
from shared.settings import Settings

_TIMEOUT_S = 3


async def require_no_cluster(settings: Settings) -> None:
    """Check that one script may write keys of any name: the fence, and LightRAG's rows beside it.

    In a cluster the keys of a script have to be of one slot. LightRAG's names have no tags that
    would make them so, Celery waits for several lists at once, and there is database 0 alone.

    Raises:
        RedisClusterError: it may not.
        redis.exceptions.RedisError: it does not answer.
    """
    async with Redis.from_url(
        redis_url(settings.redis), socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S
    ) as redis:
        found = await redis.info("cluster")
    if int(found.get("cluster_enabled", 0)):
        sentence = (
            f"The Redis at {settings.redis.host} runs in cluster mode, as ElastiCache Serverless "
            "always does: many keys cannot be written at once there. Use a server without it, on "
            "AWS an ElastiCache of nodes with cluster mode disabled."
        )
        raise RedisClusterError(sentence)
