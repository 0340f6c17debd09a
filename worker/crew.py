"""The tasks LightRAG starts for one piece of work, so that none of them outlives it.

LightRAG waits for its tasks with `asyncio.wait`, which leaves them running when the waiter is
cancelled: they would go on calling the model after a cancellation, and go on writing the graph
after its lease was lost.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Crew:
    """Everybody who called one of the watched things during one piece of work."""

    def __init__(self) -> None:
        self._members: set[asyncio.Task[Any]] = set()
        self._dismissed = False

    def join(self) -> None:
        """Count the current task in.

        Raises:
            asyncio.CancelledError: the work is over.
        """
        if self._dismissed:
            raise asyncio.CancelledError
        member = asyncio.current_task()
        if member is not None and member not in self._members:
            self._members.add(member)
            member.add_done_callback(self._members.discard)

    def watch_storage(self, storage: Any) -> Any:  # noqa: ANN401 - one of LightRAG's
        """Return a stand-in for a storage: whoever calls a coroutine of it joins."""
        return _WatchedStorage(storage, self)

    def watch(self, call: Any) -> Any:  # noqa: ANN401 - as above
        """Return a stand-in for a coroutine function: whoever calls it joins."""

        async def joined(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as above
            self.join()
            return await call(*arguments, **options)

        return joined

    async def dismiss(self) -> None:
        """End everybody but the caller, and wait until they have ended."""
        self._dismissed = True
        others = self._members - {asyncio.current_task()}
        for member in others:
            member.cancel()
        if others:
            await asyncio.wait(others)


class _WatchedStorage:
    """A storage of LightRAG's, each of its coroutines watched."""

    def __init__(self, storage: Any, crew: Crew) -> None:  # noqa: ANN401 - as above
        self._storage = storage
        self._crew = crew

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        found = getattr(self._storage, name)
        return self._crew.watch(found) if inspect.iscoroutinefunction(found) else found


@asynccontextmanager
async def gathered_crew() -> AsyncIterator[Crew]:
    """Give a crew that is dismissed however the `async with` block ends."""
    crew = Crew()
    try:
        yield crew
    finally:
        await crew.dismiss()
