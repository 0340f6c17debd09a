"""Uploading many files and, when asked, following each until it ends."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ops.client.api_client import ApiClient
from ops.client.failures import ApiProblemError, ServerNotReachableError
from shared.ledger.records import FINAL_STATES

# Enough to keep the API busy; more would only wait in its disk's queue.
_PARALLEL_UPLOADS = 4
# A look costs the API some milliseconds: together a dozen a second, so that work goes on beside.
_SHORTEST_LOOK_S = 0.5
_LOOK_PER_TASK_S = 0.08
_LONGEST_LOOK_S = 10.0
# A restart of the API takes seconds; when it stays away longer, following makes no sense.
_OUTAGE_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Outcome:
    """What became of one file as far as this command followed it."""

    path: Path
    task_id: str | None
    doc_id: str | None
    state: str
    """A task's state; `accepted`: not followed; `refused`: not taken; `lost`: out of sight."""
    chunks: int | None = None
    code: str | None = None
    detail: str | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the user has to do something about it."""
        return self.state in {"refused", "lost", "failed", "cancelled"}


class Watcher(Protocol):
    """Somebody who shows how the files come along."""

    def moved(self, path: Path, task: dict[str, Any]) -> None:
        """A task was looked at and has not ended."""

    def ended(self, outcome: Outcome) -> None:
        """A file will not change any more."""


@dataclass(frozen=True)
class Delivery:
    """How files are delivered: through which client, seen by whom, followed or not."""

    client: ApiClient
    watcher: Watcher
    wait: bool

    async def deliver(self, paths: Sequence[Path], *, doc_id: str | None = None) -> list[Outcome]:
        """Upload `paths` and return what became of each, in their order.

        Raises:
            ServerNotReachableError: no API answers, from the beginning or for a minute.
        """
        uploads = asyncio.Semaphore(_PARALLEL_UPLOADS)
        unfinished = len(paths)

        def pause_s() -> float:
            return min(max(_SHORTEST_LOOK_S, _LOOK_PER_TASK_S * unfinished), _LONGEST_LOOK_S)

        async def one(path: Path) -> Outcome:
            nonlocal unfinished
            async with uploads:
                outcome = await self._upload(path, doc_id=doc_id)
            if self.wait and outcome.task_id is not None:
                outcome = await self._follow(outcome, outcome.task_id, pause_s=pause_s)
            unfinished -= 1
            self.watcher.ended(outcome)
            return outcome

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(path)) for path in paths]
        except* ServerNotReachableError as unreachable:
            raise unreachable.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _upload(self, path: Path, *, doc_id: str | None) -> Outcome:
        try:
            receipt = await self.client.insert(path, doc_id=doc_id)
        except ApiProblemError as problem:
            code, detail = problem.code, problem.detail
        except OSError as error:
            code, detail = "file_unreadable", f"The file cannot be read: {error.strerror}."
        else:
            return Outcome(path, receipt["task_id"], receipt["doc_id"], "accepted")
        return Outcome(path, None, doc_id, "refused", code=code, detail=detail)

    async def _follow(
        self, accepted: Outcome, task_id: str, *, pause_s: Callable[[], float]
    ) -> Outcome:
        last_seen_s = time.monotonic()
        while True:
            patient = time.monotonic() - last_seen_s < _OUTAGE_PATIENCE_S
            try:
                task = await self.client.task(task_id)
            except ApiProblemError as problem:
                if not (problem.is_outage and patient):
                    return replace(accepted, state="lost", code=problem.code, detail=problem.detail)
            except ServerNotReachableError:
                if not patient:
                    raise
            else:
                last_seen_s = time.monotonic()
                if task["state"] in FINAL_STATES:
                    return _final(accepted, task)
                self.watcher.moved(accepted.path, task)
            await asyncio.sleep(pause_s())


def _final(accepted: Outcome, task: dict[str, Any]) -> Outcome:
    error = task["error"] or {}
    return replace(
        accepted,
        state=task["state"],
        chunks=task["chunks"]["total"],
        code=error.get("code"),
        detail=error.get("detail"),
    )
