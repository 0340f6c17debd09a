"""Operations that are carried out beside each other, while the next ones are read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from typing import Any

from worker.commit.operations import Kind, Operation

Apply = Callable[[Operation], Coroutine[Any, Any, None]]

MOST = 4
"""An operation is carried out before the one that comes so many later is begun."""


# Transactions on relations of the same entities might wait for each other in a circle.
_ALONE = frozenset({Kind.PUT_NODES, Kind.PUT_EDGES})


class InFlight:
    """The last few operations that were handed over, of one kind and storage at a time.

    Other kinds wait: relations want their entities, and a status says that the rest is there.
    """

    def __init__(self, apply: Apply, *, most: int = MOST, alone: Collection[Kind] = _ALONE) -> None:
        """Make room for some operations.

        Args:
            apply: carries one out.
            most: so many at once.
            alone: kinds of which none runs beside another.
        """
        self._apply = apply
        self._most = most
        self._alone = alone
        self._tasks: deque[asyncio.Task[None]] = deque()
        self._last: tuple[Kind, str] | None = None

    async def carry_out(self, operations: AsyncIterator[Operation]) -> None:
        """Carry all of them out.

        Raises:
            Exception: the first that one of them, or what gives them, raised; none goes on then.
        """
        try:
            async for operation in operations:
                await self._begin(operation)
            await self._wait(0)
        finally:
            # None may go on behind our back, whatever stopped us.
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, operation: Operation) -> None:
        follows = (operation.kind, operation.storage)
        is_alone = follows != self._last or operation.kind in self._alone
        await self._wait(0 if is_alone else self._most - 1)
        self._last = follows
        self._tasks.append(asyncio.create_task(self._apply(operation)))
        # It sends what it has to send before more is read.
        await asyncio.sleep(0)

    async def _wait(self, left: int) -> None:
        """Wait for the longest begun ones, until no more than so many are left."""
        while len(self._tasks) > left:
            await self._tasks[0]
            self._tasks.popleft()
