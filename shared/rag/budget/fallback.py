"""What happens to a budget when Redis is away: each process keeps to its own part of it."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from redis.exceptions import RedisError

from shared.logs import get_logger
from shared.rag.budget.base import Book, Grant, Limits, Order, PauseReason, Refusal
from shared.rag.budget.memory import MemoryBook

_log = get_logger(__name__)

_LOOK_AGAIN_S = 1.0
# A process that never reached Redis cannot know how many others there are.
_GUESSED_PROCESSES = 8
# Those that rest at the moment count, too: they may call again while Redis is away.
_REMEMBERED_S = 600.0


class FallbackBook:
    """The fleet's book while it can be reached, otherwise this process's part; see ADR 7."""

    def __init__(self, shared: Book, limits: Limits) -> None:
        self._shared = shared
        self._limits = limits
        self._alone: MemoryBook | None = None
        self._look: asyncio.Task[None] | None = None
        self._processes = 0
        self._counted_at_s = 0.0
        self._paused_until_s = 0.0
        self._pause_reason = PauseReason.NONE

    async def exchange(self, order: Order) -> Grant:
        """Take note of what a process holds, and grant what it may start."""
        if self._alone is None or (self._look is not None and self._look.done()):
            try:
                grant = await self._shared.exchange(order)
            except (RedisError, OSError) as error:
                order = self._fall_back(order, error)
            else:
                self._return_to_fleet(grant)
                return grant
        assert self._alone is not None  # noqa: S101 - falling back made it
        return await self._alone.exchange(order)

    async def close(self) -> None:
        """Close the fleet's book."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait([self._look])
        await self._shared.close()

    def _fall_back(self, order: Order, error: Exception) -> Order:
        # In the background: whoever waits for a model must not wait for a Redis that hangs.
        self._look = asyncio.create_task(self._look_for_fleet(Order(order.holder)))
        if self._alone is not None:
            return order
        processes = self._processes or _GUESSED_PROCESSES
        part = self._limits.divided_by(processes)
        _log.warning(
            "budget_alone",
            error=type(error).__name__,
            processes=processes,
            concurrency=part.concurrency,
        )
        self._alone = MemoryBook(part)
        left_s = self._paused_until_s - time.monotonic()
        if order.refusal is None and left_s > 0:  # the fleet's pause goes on
            return replace(order, refusal=Refusal(self._pause_reason, left_s))
        return order

    async def _look_for_fleet(self, sign_of_life: Order) -> None:
        while True:
            await asyncio.sleep(_LOOK_AGAIN_S)
            with suppress(RedisError, OSError):
                await self._shared.exchange(sign_of_life)
                return

    def _return_to_fleet(self, grant: Grant) -> None:
        if self._alone is not None:
            _log.info("budget_shared_again", processes=grant.holders)
            self._alone = self._look = None
        now_s = time.monotonic()
        if grant.holders >= self._processes or now_s - self._counted_at_s > _REMEMBERED_S:
            self._processes, self._counted_at_s = grant.holders, now_s
        self._paused_until_s = now_s + grant.pause_s
        self._pause_reason = grant.pause_reason
