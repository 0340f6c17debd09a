"""Both books answer the same orders with the same grants, whatever comes."""

import random
import secrets
from dataclasses import replace

import pytest

from shared.rag.budget.base import Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.memory import MemoryBook
from shared.rag.budget.redis import RedisBook, open_redis
from tests.contract.budget.conftest import Clock

LIMITS = [
    Limits(1),
    Limits(7, query_share=0.3),
    Limits(16, requests_per_minute=90, query_share=0.2),
    Limits(40, requests_per_minute=600, tokens_per_minute=9_000),
]
REASONS = [PauseReason.RATE_LIMITED] * 3 + [PauseReason.UNAVAILABLE, PauseReason.UNAUTHORIZED]


def an_order(chance: random.Random) -> Order:
    refusal = None
    if chance.random() < 0.1:
        asked = chance.choice([None, 0, 1.5, 20])
        reason = chance.choice(REASONS)
        refusal = Refusal(reason, asked)
    ingestion_tokens = tuple(chance.randrange(200) for _ in range(chance.randrange(9)))
    return Order(
        chance.choice("abcd"),
        queries=chance.randrange(3),
        ingestion=chance.randrange(6),
        query_tokens=tuple(chance.randrange(200) for _ in range(chance.randrange(3))),
        ingestion_tokens=ingestion_tokens,
        commits=chance.randrange(len(ingestion_tokens) + 1),
        correction=chance.randrange(-100, 100),
        refusal=refusal,
    )


def rounded(grant: Grant) -> Grant:
    return replace(grant, retry_s=-(-grant.retry_s * 1000 // 1) / 1000)  # Redis says whole ones


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limits", LIMITS, ids=str)
async def test_random_orders(valkey_url: str, clock: Clock, limits: Limits, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    in_memory = MemoryBook(limits, clock_ms=clock)
    redis = open_redis(valkey_url)
    in_redis = RedisBook(redis, secrets.token_hex(8), limits, clock_ms=clock)
    for step in range(300):
        order = an_order(chance)
        expected = rounded(await in_memory.exchange(order))
        found = await in_redis.exchange(order)
        assert replace(found, retry_s=0) == replace(expected, retry_s=0), (step, order)
        assert found.retry_s == pytest.approx(expected.retry_s, abs=0.002)
        clock.pass_s(chance.choice([0, 0.05, 0.3, 1, 5, 40]))
    await in_redis.close()
