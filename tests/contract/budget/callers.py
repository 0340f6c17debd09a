"""Callers of a gate, and a book that remembers what was ordered."""

import asyncio
from collections.abc import Callable

from shared.rag.budget.base import Book, Grant, Order, Refusal
from shared.rag.budget.gate import Gate
from shared.rag.calls import Urgency

Opened = Callable[[Book], Gate]


class Calls:
    """Calls that last until they are told to end."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.started = asyncio.Semaphore(0)
        self.may_end = asyncio.Semaphore(0)

    async def make(self, gate: Gate, urgency: Urgency = Urgency.REST) -> None:
        async with gate.call(1, urgency):
            self.running += 1
            self.most = max(self.most, self.running)
            self.started.release()
            await self.may_end.acquire()
            self.running -= 1

    async def wait_for(self, count: int) -> None:
        for _ in range(count):
            await self.started.acquire()


class Watched:
    """A book that remembers what was ordered."""

    def __init__(self, book: Book) -> None:
        self.orders: list[Order] = []
        self.told_of_refusal = asyncio.Event()
        self._book = book

    async def exchange(self, order: Order) -> Grant:
        self.orders.append(order)
        grant = await self._book.exchange(order)
        if order.refusal is not None:
            self.told_of_refusal.set()
        return grant

    async def close(self) -> None:
        await self._book.close()


async def refuse(gate: Gate, refusal: Refusal) -> None:
    async with gate.call(1, Urgency.REST) as call:
        call.refused(refusal)
