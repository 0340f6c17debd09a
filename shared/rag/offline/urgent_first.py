"""One thread for work that only one thread may do, the most urgent first."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import PriorityQueue
from typing import Any

_Entry = tuple[int, int, Future[Any], Callable[[], Any]]


class UrgentFirst:
    """Like an executor with one worker, whose queue is ordered; begins at the first work."""

    def __init__(self, *, name: str) -> None:
        """Prepare it.

        Args:
            name: of the thread.
        """
        self._name = name
        self._numbers = itertools.count()
        self._waiting: PriorityQueue[_Entry] = PriorityQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(self, urgency: int, work: Callable[[], Any]) -> Future[Any]:
        """Queue some work.

        Args:
            urgency: the lower, the sooner; what is equally urgent is done in order.
            work: called in the thread, unless the future is cancelled before.
        """
        future: Future[Any] = Future()
        self._waiting.put((urgency, next(self._numbers), future, work))
        with self._starting:
            if self._thread is None:  # never earlier: a process that forks must not have it
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return future

    def _run(self) -> None:
        while True:
            _urgency, _number, future, work = self._waiting.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - whoever waits for the work gets it
                future.set_exception(error)
