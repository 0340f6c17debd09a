"""One group of tasks, merged in memory and ready for the journal."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from shared.ledger.records import Outcome
from shared.logs import get_logger
from worker.commit.edit import edit_graph
from worker.commit.encoding import encode
from worker.commit.merge import add_documents
from worker.commit.operations import Kind, Operation, operations_of
from worker.commit.purge import remove_documents
from worker.commit.session import Session
from worker.commit.summaries import summaries_only
from worker.commit.traced import GroupTrace
from worker.commit.unit_of_work.unit import UnitOfWork, open_unit_of_work
from worker.commit.work import Work, outcome_of

_log = get_logger(__name__)


@dataclass(frozen=True)
class Merged:
    """A group as it is going to be: its journal, and the unit of work that the next one reads."""

    unit: UnitOfWork
    outcome: Outcome
    operations: list[Operation]
    parts: list[bytes]
    """The same, written down."""
    trace: GroupTrace


async def merge_group(
    group: Sequence[Work], session: Session, *, below: UnitOfWork | None
) -> Merged:
    """Merge a whole group in memory; no store is changed.

    Args:
        group: of one workspace, at most one task for each document.
        session: whose LightRAG is read.
        below: the group before, while it is being applied.
    """
    trace = GroupTrace([work.task for work in group], session.lease.workspace)
    with trace.step("merge group", {}):
        return await _merged(group, session, trace, below=below)


async def _merged(
    group: Sequence[Work], session: Session, trace: GroupTrace, *, below: UnitOfWork | None
) -> Merged:
    async with open_unit_of_work(session.rag, summaries_only, below=below) as unit:
        try:
            # Old revisions and deleted documents first, then everything new in one merge.
            await remove_documents(unit, [work.doc_id for work in group if work.replaces])
            await add_documents(unit, [work.piece for work in group if work.piece is not None])
            for work in group:
                if work.task.edit is not None:
                    await edit_graph(unit, work.task.edit)
            return Merged(unit, outcome_of(group), *await _encoded(unit, session), trace)
        except Exception:
            await _keep_summaries(unit, session)
            raise


async def merge_removal(work: Work, session: Session, outcome: Outcome) -> Merged:
    """Merge the removal of a document of which some slices are in the graph already."""
    trace = GroupTrace([work.task], session.lease.workspace)
    with trace.step("merge removal", {}):
        async with open_unit_of_work(session.rag, summaries_only) as unit:
            await remove_documents(unit, [work.doc_id])
            return Merged(unit, outcome, *await _encoded(unit, session), trace)


async def _encoded(unit: UnitOfWork, session: Session) -> tuple[list[Operation], list[bytes]]:
    changes = await unit.changes()
    session.heartbeat.progressed()
    operations = list(operations_of(changes, written_at_s=int(time.time())))
    # In a thread: megabytes of text are compressed, and other workspaces share this loop.
    parts = await asyncio.to_thread(
        encode,
        operations,
        dimension=session.context.settings.embedding.dim,
        longest_ids=session.stores.longest_ids,
    )
    return operations, parts


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
