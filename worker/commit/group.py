"""One group of tasks: merged in memory, written into the journal, applied to the stores."""

import asyncio
import time
from collections.abc import Sequence

from shared.ledger.records import Outcome
from shared.logs import get_logger
from worker.commit.encoding import encode
from worker.commit.merge import add_documents
from worker.commit.operations import Kind, Operation, operations_of
from worker.commit.purge import remove_documents
from worker.commit.session import Session
from worker.commit.summaries import summaries_only
from worker.commit.unit_of_work.unit import UnitOfWork, open_unit_of_work
from worker.commit.work import Work
from worker.leased import LeaseLostError

_log = get_logger(__name__)


async def merge_group(group: Sequence[Work], session: Session) -> list[bytes]:
    """Merge a whole group in memory; no store is changed.

    Returns:
        The parts of its journal.
    """
    async with open_unit_of_work(session.rag, summaries_only) as unit:
        try:
            # Old revisions and deleted documents first, then everything new in one merge.
            await remove_documents(unit, [work.doc_id for work in group if work.replaces])
            await add_documents(unit, [work.piece for work in group if work.piece is not None])
            return await _encoded(unit, session)
        except Exception:
            await _keep_summaries(unit, session)
            raise


async def write_and_apply(outcome: Outcome, parts: list[bytes], session: Session) -> bool:
    """Write a journal, apply it, close it.

    Returns:
        False: a task was cancelled or overtaken, so nothing was written.

    Raises:
        LeaseLostError: somebody else commits, and applies the journal if it was written.
        StoreUnavailableError: a store is away; whoever has the lease next applies the journal.
    """
    journals = session.context.ledger.journals
    journal = await journals.write(session.lease, outcome, parts)
    if journal is None:
        if not await session.context.ledger.workspaces.holds_commit_lease(session.lease):
            raise LeaseLostError
        return False
    session.heartbeat.progressed()
    await session.stores.apply(journal)
    if not await journals.close(session.lease, journal):
        raise LeaseLostError
    session.heartbeat.progressed()
    _log.info(
        "group_committed",
        workspace=session.lease.workspace,
        seq=journal.seq,
        tasks=len(outcome.task_ids),
        size_bytes=journal.size_bytes,
    )
    return True


async def remove_leftovers(work: Work, session: Session) -> list[bytes]:
    """Encode the removal of a document of which some slices are in the graph already."""
    async with open_unit_of_work(session.rag, summaries_only) as unit:
        await remove_documents(unit, [work.doc_id])
        return await _encoded(unit, session)


async def _encoded(unit: UnitOfWork, session: Session) -> list[bytes]:
    changes = await unit.changes()
    session.heartbeat.progressed()
    operations = operations_of(changes, written_at_s=int(time.time()))
    # In a thread: megabytes of text are compressed, and other workspaces share this loop.
    return await asyncio.to_thread(
        encode,
        operations,
        dimension=session.context.settings.embedding.dim,
        longest_ids=session.stores.longest_ids,
    )


async def _keep_summaries(unit: UnitOfWork, session: Session) -> None:
    """Write the summaries of a group that is thrown away into the cache: they were paid for."""
    cache = unit.rows["llm_response_cache"].puts
    rows = [[key, row] for key, row in cache.items() if row.get("cache_type") == "summary"]
    if rows:
        operation = Operation(Kind.PUT_ROWS, "llm_response_cache", rows)
        try:
            await session.stores.by_storage[operation.storage].apply(operation)
        except Exception:  # noqa: BLE001 - the group's own error is the one to tell
            _log.warning("summaries_not_kept", workspace=session.lease.workspace)
