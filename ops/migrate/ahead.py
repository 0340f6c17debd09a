"""Reading on while what was read is worked on: stores answer meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def read_ahead(
    questions: AsyncIterator[Asked], read: Callable[[Asked], Awaitable[Answer]], *, at_once: int
) -> AsyncIterator[Answer]:
    """Give the answers in the order of the questions, some of which are under way at once."""
    under_way: deque[asyncio.Future[Answer]] = deque()
    try:
        async for question in questions:
            if len(under_way) == at_once:
                yield await under_way.popleft()
            under_way.append(asyncio.ensure_future(read(question)))
        while under_way:
            yield await under_way.popleft()
    finally:
        for answer in under_way:
            answer.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
