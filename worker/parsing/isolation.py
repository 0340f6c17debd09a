"""A pool of child processes that parse: bounded in time and memory, replaced when they die."""

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from worker.parsing.child import limit_child, parse_in_child
from worker.parsing.document import ParsedDocument
from worker.parsing.errors import (
    DocumentError,
    ParserCrashedError,
    ParserKilledError,
    ParseTimeoutError,
)

# Native parsers leak; a fresh child costs 10 ms after so many documents.
_DOCUMENTS_PER_CHILD = 50
_FORKSERVER_MODULE = "worker.parsing.forkserver"

ParseFunction = Callable[[Path, str], ParsedDocument | DocumentError]


class ParserPool:
    """Parses files in children that may crash, hang or run out of memory without harm.

    The children end with `close()`, and with this process however it ends.
    """

    def __init__(self, *, workers: int, timeout_s: float, memory_bytes: int) -> None:
        self._workers = workers
        self.places = asyncio.Semaphore(workers)
        """One for each child: whoever copies a file to have it parsed takes one before."""
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._closed = False
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_FORKSERVER_MODULE])
        self._pool = self._open()
        self._running: set[ProcessFuture[ParsedDocument | DocumentError]] = set()

    async def parse(self, path: Path, *, file_name: str) -> ParsedDocument:
        """Return the text of the file at `path`; cancelling the caller ends the child's work.

        Raises:
            DocumentError: one of worker.parsing.errors.
        """
        return await self.run(parse_in_child, path, file_name)

    async def run(self, function: ParseFunction, path: Path, file_name: str) -> ParsedDocument:
        """Run an importable parse function in a child, as `parse` does with ours."""
        try:
            outcome = await self._attempt(function, path, file_name)
        except BrokenProcessPool:
            # An idle child died, which says nothing about this document: once more, elsewhere.
            try:
                outcome = await self._attempt(function, path, file_name)
            except BrokenProcessPool as error:
                raise ParserKilledError from error
        if isinstance(outcome, DocumentError):
            raise outcome
        return outcome

    def close(self) -> None:
        """End all children now; what they were doing raises in its caller."""
        with self._lock:
            self._closed = True
            self._stop()

    async def _attempt(
        self, function: ParseFunction, path: Path, file_name: str
    ) -> ParsedDocument | DocumentError:
        pool = await asyncio.to_thread(self._usable_pool)
        try:
            future = pool.schedule(function, args=(path, file_name), timeout=self._timeout_s)
        except RuntimeError as error:  # it broke or was closed a moment ago
            raise BrokenProcessPool from error
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        try:
            outcome: ParsedDocument | DocumentError = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # the caller was cancelled; wrap_future has cancelled the child's work
            raise ParserKilledError from None  # the pool was closed
        except TimeoutError as error:
            raise ParseTimeoutError from error
        except ProcessExpired as error:
            if error.exitcode in {-signal.SIGKILL, -signal.SIGTERM}:
                raise ParserKilledError from error
            raise ParserCrashedError from error
        return outcome

    def _usable_pool(self) -> ProcessPool:
        with self._lock:
            if not self._pool.active and not self._closed:
                self._stop()
                self._pool = self._open()
            return self._pool

    def _stop(self) -> None:
        for future in tuple(self._running):
            # pebble would leave its caller waiting for ever
            future.cancel()  # type: ignore[no-untyped-call]  # pebble types only some methods
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble types only some methods
        self._pool.join()

    def _open(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=_DOCUMENTS_PER_CHILD,
            initializer=limit_child,
            initargs=(self._memory_bytes,),
            context=self._context,
        )
