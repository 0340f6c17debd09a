"""Asks questions, some at a time, and takes the time of each: the same for whoever answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable


async def ask_all(
    ask: Callable[[str], Awaitable[object]], questions: Iterable[str], *, askers: int
) -> list[float]:
    """Ask all questions; each asker takes the next one when it has its answer.

    Returns:
        Seconds each took.
    """
    waiting = iter(questions)
    took_s: list[float] = []

    async def carry() -> None:
        for question in waiting:
            started_s = time.perf_counter()
            await ask(question)
            took_s.append(time.perf_counter() - started_s)

    await asyncio.gather(*(carry() for _ in range(askers)))
    return took_s
