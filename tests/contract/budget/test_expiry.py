"""What the fleet's book leaves in Redis goes away by itself."""

import secrets

from redis.asyncio import Redis

from shared.rag.budget.base import Limits, Order
from shared.rag.budget.redis import RedisBook, open_redis


async def test_every_key_expires(valkey_url: str) -> None:
    name = secrets.token_hex(8)
    book = RedisBook(open_redis(valkey_url), name, Limits(4))
    await book.exchange(Order("a", ingestion_tokens=(1,)))
    await book.close()
    async with Redis.from_url(valkey_url) as redis:
        keys = [key async for key in redis.scan_iter(f"ragfleet:budget:{{{name}}}*")]
        assert len(keys) == 2
        assert [key for key in keys if await redis.ttl(key) < 0] == []


async def test_a_restarted_redis_is_no_trouble(valkey_url: str) -> None:
    book = RedisBook(open_redis(valkey_url), secrets.token_hex(8), Limits(4))
    await book.exchange(Order("a"))
    async with Redis.from_url(valkey_url) as redis:
        await redis.script_flush()
    assert (await book.exchange(Order("a", ingestion_tokens=(1,)))).ingestion == 1
    await book.close()
