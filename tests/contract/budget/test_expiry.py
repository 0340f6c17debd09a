"""What the fleet's book leaves in Redis goes away by itself and misleads nobody later."""

import secrets

from redis.asyncio import Redis

from shared.rag.budget.base import Limits, Order
from shared.rag.budget.redis import RedisBook, open_redis
from tests.contract.budget.conftest import Clock


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


async def test_what_was_used_without_a_limit_is_not_held_against_a_later_one(
    valkey_url: str, clock: Clock
) -> None:
    name = secrets.token_hex(8)
    unlimited = RedisBook(open_redis(valkey_url), name, Limits(64), clock_ms=clock)
    for _ in range(9):
        await unlimited.exchange(Order("a", ingestion_tokens=(1_000_000,) * 9, correction=500_000))
    await unlimited.close()
    limits = Limits(64, requests_per_minute=60, tokens_per_minute=60_000)
    limited = RedisBook(open_redis(valkey_url), name, limits, clock_ms=clock)
    assert (await limited.exchange(Order("b", query_tokens=(1_000,)))).queries == 1
    await limited.close()


async def test_what_cannot_be_read_of_a_process_stops_no_other(valkey_url: str) -> None:
    name = secrets.token_hex(8)
    async with Redis.from_url(valkey_url) as redis:
        # Of another version, in the middle of a rolling restart.
        await redis.hset(f"ragfleet:budget:{{{name}}}:holders", "odd", "v2 1 -1")
    book = RedisBook(open_redis(valkey_url), name, Limits(4))
    assert (await book.exchange(Order("a", ingestion_tokens=(1,)))).ingestion == 1
    await book.close()
