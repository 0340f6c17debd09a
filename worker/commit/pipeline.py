"""Journals of one turn, one after the other; the next group is merged while one is applied."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.ledger.records import Journal, TaskState
from shared.ledger.task_ids import ids_of
from shared.logs import get_logger
from worker.commit.group import Merged
from worker.commit.operations import Operation
from worker.commit.session import Session
from worker.leased import LeaseLostError
from worker.metrics import GROUP_TASKS, JOURNAL_BYTES, observed_stage

if TYPE_CHECKING:
    from worker.commit.unit_of_work.unit import UnitOfWork

_log = get_logger(__name__)


class Pipeline:
    """Writes merged groups down, and applies each while the next one is merged.

    Merging is work for this process, applying is work for the stores.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._applying: asyncio.Task[None] | None = None
        self.below: UnitOfWork | None = None
        """What is being applied: who merges now has to read it as if it were done."""

    async def write(self, merged: Merged) -> bool:
        """Write a group's journal, as soon as the one before is closed, and begin to apply it.

        Returns:
            False: a task was cancelled or overtaken, so nothing was written.

        Raises:
            LeaseLostError: somebody else commits, and applies the journal if it was written.
            StoreUnavailableError: the group before waits for a store, so this one is not written.
        """
        await self.settle()
        merged.unit.read_from(self._session.rag)
        ledger, lease = self._session.context.ledger, self._session.lease
        journal = await ledger.journals.write(lease, merged.outcome, merged.parts)
        if journal is None:
            if not await ledger.workspaces.holds_commit_lease(lease):
                raise LeaseLostError
            return False
        self.below = merged.unit
        self._applying = asyncio.create_task(self._apply(journal, merged))
        return True

    async def settle(self) -> None:
        """Wait until what was written is applied and closed.

        Raises:
            LeaseLostError: somebody else holds the lease.
            StoreUnavailableError: a store is away; whoever has the lease next applies the journal.
        """
        applying, self._applying = self._applying, None
        if applying is not None:
            try:
                await applying
            finally:
                if not applying.done():
                    self._applying = applying  # we were cancelled, it was not
            self.below = None

    async def stop(self) -> None:
        """End what is being applied: the journal stays, and is applied again."""
        if self._applying is not None:
            self._applying.cancel()
            await asyncio.wait([self._applying])
            if not self._applying.cancelled():
                self._applying.exception()  # looked at, or asyncio would log it

    async def _apply(self, journal: Journal, merged: Merged) -> None:
        session = self._session
        session.heartbeat.progressed()
        sizes = {"seq": journal.seq, "size_bytes": journal.size_bytes}
        with merged.trace.step("apply group", sizes), observed_stage("apply"):
            await session.stores.apply(journal, _each(merged.operations))
            if not await session.context.ledger.journals.close(session.lease, journal):
                raise LeaseLostError
            merged.trace.committed()
        session.heartbeat.progressed()
        GROUP_TASKS.observe(len(journal.outcome.task_ids))
        JOURNAL_BYTES.observe(journal.size_bytes)
        _tell_of(journal, merged)
        _log.info(
            "group_committed",
            workspace=session.lease.workspace,
            seq=journal.seq,
            tasks=len(journal.outcome.task_ids),
            size_bytes=journal.size_bytes,
        )


def _tell_of(journal: Journal, merged: Merged) -> None:
    """Write one line for each task that ended: it is how a document's way is followed."""
    ended = {*journal.outcome.succeeded, *journal.outcome.failed}
    for task in merged.trace.tasks:
        if task.id in ended:
            failed = task.id in journal.outcome.failed
            state = TaskState.FAILED if failed else TaskState.SUCCEEDED
            _log.info("task_committed", **ids_of(task), kind=task.kind, state=state)


async def _each(operations: list[Operation]) -> AsyncIterator[Operation]:
    for operation in operations:
        yield operation


@asynccontextmanager
async def open_pipeline(session: Session) -> AsyncIterator[Pipeline]:
    """Give a pipeline; what it wrote is applied at the end, or stopped when the block fails."""
    pipeline = Pipeline(session)
    try:
        yield pipeline
        await pipeline.settle()
    finally:
        await pipeline.stop()
