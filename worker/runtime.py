"""One asyncio loop for a worker process: Celery's threads hand coroutines to it."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from celery.exceptions import Reject

from shared.logs import get_logger

Resource = TypeVar("Resource")

_log = get_logger(__name__)

_OPEN_TIMEOUT_S = 90.0
_CLOSE_TIMEOUT_S = 15.0


class Runtime(Generic[Resource]):
    """Owns the loop, what is open on it, and the tasks that run on it.

    LightRAG's storages belong to the loop that opened them, so there is exactly one.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[Resource]]) -> None:
        self._opener = opener
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._live: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._draining = False
        self._opened: AbstractAsyncContextManager[Resource] | None = None
        self._resource: Resource | None = None

    def start(self) -> None:
        """Open the resources; called in the main thread before any message can arrive."""
        self._thread.start()
        opened = self._opener()
        self._resource = self._submit(opened.__aenter__()).result(_OPEN_TIMEOUT_S)
        self._opened = opened

    def run(self, handler: Callable[[Resource], Coroutine[Any, Any, None]]) -> None:
        """Run one handler to its end, from a task thread.

        Raises:
            Reject: the process is stopping; the message goes back to its queue.
        """
        try:
            self._submit(self._tracked(handler)).result()
        except concurrent.futures.CancelledError:
            raise Reject("worker is stopping", requeue=True) from None

    def drain(self, grace_s: float) -> None:
        """Cancel running tasks after `grace_s` seconds; a second call cancels them at once."""
        delay_s = 0.0 if self._draining else grace_s
        self._draining = True
        # Said by the loop: this is called while a signal is handled, in the middle of anything.
        self._loop.call_soon_threadsafe(self._cancel_later, delay_s)

    def stop(self) -> None:
        """Close the resources and the loop, after the last task has ended."""
        if self._opened is not None:
            self._submit(self._opened.__aexit__(None, None, None)).result(_CLOSE_TIMEOUT_S)
            self._opened = None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_TIMEOUT_S)

    async def _tracked(self, handler: Callable[[Resource], Coroutine[Any, Any, None]]) -> None:
        if self._stopping or self._resource is None:
            raise asyncio.CancelledError
        current = asyncio.current_task()
        assert current is not None  # noqa: S101 - coroutines run in tasks
        self._live.add(current)
        try:
            await handler(self._resource)
        finally:
            self._live.discard(current)

    def _cancel_later(self, delay_s: float) -> None:
        _log.info("worker_draining", tasks=len(self._live), grace_s=delay_s)
        self._loop.call_later(delay_s, self._cancel_all)

    def _cancel_all(self) -> None:
        self._stopping = True
        for task in self._live:
            task.cancel()

    def _submit(self, work: Coroutine[Any, Any, Any]) -> concurrent.futures.Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
