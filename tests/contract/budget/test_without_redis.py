"""Redis is away: calls go on, within this process's part of the limit."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.rag.budget import fallback
from shared.rag.budget.base import Grant, Limits, Order, PauseReason
from shared.rag.budget.fallback import FallbackBook
from shared.rag.budget.redis import RedisBook, open_redis

LIMITS = Limits(16, query_share=0)
WANTED = Order("a", ingestion_tokens=(1,) * 20)


class Fleet:
    """A shared book that can be taken away."""

    def __init__(self, *, pause_s: float = 0.0) -> None:
        self.processes = 4
        self.is_there = asyncio.Event()
        self.is_there.set()
        self.asked = asyncio.Event()
        self.reason = PauseReason.RATE_LIMITED if pause_s else PauseReason.NONE
        self.pause_s = pause_s

    async def exchange(self, order: Order) -> Grant:
        self.asked.set()
        if not self.is_there.is_set():
            raise RedisConnectionError
        return Grant(0, 0, self.pause_s, self.reason, 0, 16, holders=self.processes)

    async def close(self) -> None:
        pass


async def test_each_process_keeps_to_its_part_of_the_fleets_limit() -> None:
    fleet = Fleet()
    book = FallbackBook(fleet, LIMITS)
    for fleet.processes in (2, 4, 1):  # two of them rest when Redis goes away
        await book.exchange(Order("a"))
    fleet.is_there.clear()
    assert (await book.exchange(WANTED)).ingestion == 16 // 4
    await book.close()


async def test_a_process_that_never_saw_the_fleet_takes_little() -> None:
    book = FallbackBook(RedisBook(open_redis("redis://127.0.0.1:1/0"), "x", LIMITS), LIMITS)
    assert (await book.exchange(WANTED)).ingestion == 2
    await book.close()


async def test_the_fleets_pause_goes_on() -> None:
    fleet = Fleet(pause_s=600)
    book = FallbackBook(fleet, LIMITS)
    await book.exchange(Order("a"))
    fleet.is_there.clear()
    grant = await book.exchange(WANTED)
    assert (grant.ingestion, grant.pause_reason) == (0, PauseReason.RATE_LIMITED)
    assert 590 < grant.pause_s <= 600
    await book.close()


async def test_it_is_shared_again_when_redis_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback, "_LOOK_AGAIN_S", 0.0)
    fleet = Fleet()
    fleet.is_there.clear()
    book = FallbackBook(fleet, LIMITS)
    assert (await book.exchange(WANTED)).holders == 1
    fleet.is_there.set()
    assert book._look is not None
    await book._look
    assert (await book.exchange(WANTED)).holders == 4
    await book.close()
