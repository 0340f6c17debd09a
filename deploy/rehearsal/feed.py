"""Documents that keep coming while something else happens."""

import threading
import time
from types import TracebackType
from typing import Self

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.texts import long_text, made_text
from deploy.rehearsal.visitor import FINAL, Visitor

WORK_TIMEOUT_S = 180  # a lease of a dead worker runs out, a store recovers
EVERY_LONG = 3  # of three documents one needs the workers that extract
IN_FLIGHT = 4  # so that some work is on its way at every moment
_POLL_S = 0.5  # with four questions each time, below nginx's 20 a second


class Feed:
    """Uploads in a thread of its own, so many that always some are not done yet."""

    def __init__(self, visitor: Visitor, name: str, *, every_long: int) -> None:
        """Name what the ids of the documents begin with, and how many there are to a long one."""
        self._every_long = every_long
        self._visitor = visitor
        self._name = name
        self._changed = threading.Condition()
        self._tasks: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._ends = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"feed {name}")

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Upload no more; what is on its way stays."""
        self._ends = True
        self._thread.join()

    @property
    def tasks(self) -> dict[str, str]:
        """The task of each document, by the document's id."""
        return dict(self._tasks)

    @property
    def unfinished(self) -> int:
        """How many documents are not known to be done."""
        return len(self._waiting)

    def wait_until_busy(self, *, timeout_s: float) -> int:
        """Wait until documents are on their way, without which a crash would show nothing.

        Returns:
            How many.

        Raises:
            RehearsalError: none is in time, or an upload was refused.
        """
        with self._changed:
            busy = self._changed.wait_for(lambda: self._error or self._waiting, timeout_s)
            count = self.unfinished
        self._require(busy, f"no document was on its way within {timeout_s:.0f} s")
        return count

    def wait_for_next(self, *, timeout_s: float) -> None:
        """Wait until a document that is uploaded from now on is done.

        Raises:
            RehearsalError: none is in time, or an upload was refused.
        """
        with self._changed:
            before = len(self._tasks)
            arrived = self._changed.wait_for(
                lambda: self._error or self._done_after(before), timeout_s
            )
        self._require(arrived, f"no new document was done within {timeout_s:.0f} s")

    def _require(self, fulfilled: object, complaint: str) -> None:
        if self._error is not None:
            raise RehearsalError(f"the feed broke: {self._error}") from self._error
        if not fulfilled:
            raise RehearsalError(complaint)

    def _done_after(self, before: int) -> bool:
        # The uploads that were under way when we were asked do not count.
        return any(task not in self._waiting for task in list(self._tasks.values())[before + 1 :])

    def _run(self) -> None:
        try:
            while not self._ends:
                self._turn()
                time.sleep(_POLL_S)
        except RehearsalError as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _turn(self) -> None:
        for task_id in list(self._waiting):
            if self._visitor.task(task_id)["state"] in FINAL:
                with self._changed:
                    self._waiting.discard(task_id)
                    self._changed.notify_all()
        while len(self._waiting) < IN_FLIGHT and not self._ends:
            number = len(self._tasks)
            doc_id = f"{self._name}-{number}"
            make = made_text if number % self._every_long else long_text
            text = f"{doc_id}\n{make(number)}".encode()
            task_id = self._visitor.insert(doc_id, f"{doc_id}.txt", text)
            with self._changed:
                self._tasks[doc_id] = task_id
                self._waiting.add(task_id)
