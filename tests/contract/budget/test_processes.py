"""Real processes on a real server: together below the limit, and a killed one leaves nothing."""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from shared.rag.budget.base import Limits, Order
from shared.rag.budget.redis import RedisBook, open_redis
from shared.rag.budget.rules import RULES

ROOT = Path(__file__).parents[3]
LIMIT = 5
Start = Callable[[int], Awaitable[asyncio.subprocess.Process]]
# Makes calls through a gate; each notes in Redis how many run at once, in the whole fleet.
PROGRAM = f"""
import asyncio, sys
from redis.asyncio import Redis
from shared.rag.budget.base import Limits
from shared.rag.budget.gate import Gate
from shared.rag.budget.redis import RedisBook, open_redis
from shared.rag.calls import Urgency
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

async def call(gate, redis):
    async with gate.call(1, Urgency.REST):
        running = await redis.incr(name + ":running")
        await redis.rpush(name + ":seen", running)
        await asyncio.sleep(0.01 if count > {LIMIT} else 3600)
        await redis.decr(name + ":running")

async def main():
    gate = Gate(RedisBook(open_redis(url), name, Limits({LIMIT}, query_share=0)))
    async with Redis.from_url(url) as redis:
        await asyncio.gather(*(call(gate, redis) for _ in range(count)))
    await gate.close()

asyncio.run(main())
"""


@pytest.fixture
def name() -> str:
    return secrets.token_hex(8)


@pytest.fixture
async def start(valkey_url: str, name: str) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start_one(count: int) -> asyncio.subprocess.Process:
            arguments = ("-c", PROGRAM, valkey_url, name, str(count))
            process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
            stack.push_async_callback(process.wait)
            stack.callback(lambda: process.returncode is None and process.kill())
            return process

        yield start_one


async def test_together_they_stay_below_the_limit(valkey_url: str, name: str, start: Start) -> None:
    processes = [await start(100) for _ in range(2)]
    assert [await process.wait() for process in processes] == [0, 0]
    async with Redis.from_url(valkey_url) as redis:
        seen = [int(each) for each in await redis.lrange(f"{name}:seen", 0, -1)]
    assert len(seen) == 200
    assert max(seen) == LIMIT


async def test_a_killed_process_gives_its_slots_back(
    valkey_url: str, name: str, start: Start
) -> None:
    process = await start(LIMIT)
    async with Redis.from_url(valkey_url) as redis:
        for _ in range(LIMIT):
            await redis.blpop([f"{name}:seen"], timeout=60)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    book = RedisBook(open_redis(valkey_url), name, Limits(LIMIT, query_share=0))
    assert (await book.exchange(Order("b", ingestion_tokens=(1,)))).ingestion == 0
    await book.close()

    def when_it_expired_ms() -> int:
        return time.time_ns() // 1_000_000 + RULES.holder_ttl

    later = RedisBook(open_redis(valkey_url), name, Limits(LIMIT), clock_ms=when_it_expired_ms)
    assert (await later.exchange(Order("b", ingestion_tokens=(1,)))).ingestion == 1
    await later.close()
