"""The commit stage of gathered tasks: tied to a journal, ended when it is applied, or put off.

Everything happens in a transaction that holds the workspace's lease, the caller's or its own: what
a committer that lost it still tries to write down changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import TaskId
from shared.ledger import commit_leases
from shared.ledger.clock import now_ms
from shared.ledger.records import CommitLease, TaskKind, TaskState
from shared.ledger.rows import ended, failed, is_in, reason
from shared.ledger.tables import batches, documents, journals, tasks


async def hand_back(
    connection: AsyncConnection, lease: CommitLease, task_ids: Sequence[TaskId]
) -> None:
    """Let go of gathered tasks that the group has no room for."""
    if await commit_leases.hold(connection, lease):
        await connection.execute(
            update(tasks)
            .where(_is_gathered(lease, task_ids), ~_is_journaled(lease))
            .values(commit_token=0)
        )


async def move_to_committing(
    connection: AsyncConnection, lease: CommitLease, task_ids: Sequence[TaskId]
) -> bool:
    """Make a whole group uncancellable; False: one of it was cancelled or overtaken, roll back."""
    moved = await connection.execute(
        update(tasks)
        .where(_is_gathered(lease, task_ids), ~tasks.c.cancel_requested)
        .values(
            state=TaskState.COMMITTING,
            next_attempt_at_ms=None,
            error_code=None,
            error_detail=None,
            updated_at_ms=now_ms(),
        )
    )
    return moved.rowcount == len(task_ids)


async def succeed(
    connection: AsyncConnection, lease: CommitLease, task_ids: Sequence[TaskId]
) -> None:
    """End applied tasks and let their documents show what is in the graph now."""
    ours = and_(is_committing(lease), tasks.c.id.in_(task_ids))
    # Documents before tasks, everywhere: that order keeps transactions from deadlocking.
    for kind, values in ((TaskKind.INSERT, _in_the_graph()), (TaskKind.DELETE, _deleted())):
        await _change_documents(connection, and_(ours, tasks.c.kind == kind), values)
    await connection.execute(
        update(tasks)
        .where(ours)
        .values(**ended(TaskState.SUCCEEDED), error_code=None, error_detail=None)
    )
    await connection.execute(delete(batches).where(batches.c.task_id.in_(task_ids)))


async def advance(
    connection: AsyncConnection, lease: CommitLease, task_id: TaskId, *, committed_chunks: int
) -> None:
    """Note how many chunks of a large document are in the graph; the task stays committing."""
    this = and_(is_committing(lease), tasks.c.id == task_id)
    # The first slice replaced what there was: the document is whole in no revision now.
    await _change_documents(connection, this, _out_of_the_graph())
    await connection.execute(
        update(tasks)
        .where(this)
        .values(
            committed_chunks=committed_chunks, commit_token=0, strikes=0, updated_at_ms=now_ms()
        )
    )


async def fail(
    connection: AsyncConnection,
    lease: CommitLease,
    task_id: TaskId,
    *,
    error_code: str,
    error_detail: str,
) -> None:
    """Give one task up, of which nothing is in the stores any more, or nothing can be removed."""
    if not await commit_leases.hold(connection, lease):
        return
    await connection.execute(
        update(tasks)
        .where(is_at_commit(lease), ~_is_journaled(lease), tasks.c.id == task_id)
        .values(**failed(error_code, error_detail), committed_chunks=0)
    )


async def postpone(  # noqa: PLR0913 - what happened and when to go on belong together
    connection: AsyncConnection,
    lease: CommitLease,
    task_ids: Sequence[TaskId],
    *,
    delay_ms: int,
    error_code: str,
    error_detail: str,
    strike: bool,
) -> None:
    """Let gathered tasks wait; those that were cancelled or overtaken meanwhile stay so.

    So do those whose journal is open: it is applied at once, by whoever has the lease next.
    """
    if not await commit_leases.hold(connection, lease):
        return
    await connection.execute(
        update(tasks)
        .where(_is_gathered(lease, task_ids), ~_is_journaled(lease))
        .values(
            commit_token=0,
            attempt=tasks.c.attempt + 1,
            strikes=tasks.c.strikes + int(strike),
            next_attempt_at_ms=now_ms() + delay_ms,
            updated_at_ms=now_ms(),
            **reason(error_code, error_detail),
        )
    )


async def explain_delay(
    connection: AsyncConnection, lease: CommitLease, *, error_code: str, error_detail: str
) -> None:
    """Show on tasks why they are not committed yet: those in a journal cannot fail any more."""
    if await commit_leases.hold(connection, lease):
        await connection.execute(
            update(tasks)
            .where(is_at_commit(lease))
            .values(**reason(error_code, error_detail), updated_at_ms=now_ms())
        )


def is_of(lease: CommitLease) -> ColumnElement[bool]:
    """Return the condition that a task is of the generation that a lease is about."""
    return and_(tasks.c.workspace == lease.workspace, tasks.c.physical == lease.physical)


def is_committing(lease: CommitLease) -> ColumnElement[bool]:
    """Return the condition that a task can only go forward."""
    return and_(is_of(lease), is_in(TaskState.COMMITTING))


def is_at_commit(lease: CommitLease) -> ColumnElement[bool]:
    """Return the condition that a task is the committer's to deal with."""
    return and_(is_of(lease), tasks.c.state.in_([TaskState.READY, TaskState.COMMITTING]))


def _is_journaled(lease: CommitLease) -> ColumnElement[bool]:
    """Return the condition that an open journal decides about a task.

    While there is one, whatever is committing is in it: what is half done goes alone.
    """
    is_open = exists().where(
        journals.c.physical == lease.physical, journals.c.closed_at_ms.is_(None)
    )
    return and_(is_in(TaskState.COMMITTING), is_open)


def _is_gathered(lease: CommitLease, task_ids: Sequence[TaskId]) -> ColumnElement[bool]:
    return and_(is_at_commit(lease), tasks.c.id.in_(task_ids), tasks.c.commit_token == lease.token)


def _in_the_graph() -> dict[str, Any]:
    return {
        "committed_revision": tasks.c.revision,
        "committed_task_id": tasks.c.id,
        "chunks": tasks.c.chunks_total,
    }


def _deleted() -> dict[str, Any]:
    # An upload that came after the delete keeps the document alive.
    return {**_out_of_the_graph(), "deleted": documents.c.latest_revision == tasks.c.revision}


def _out_of_the_graph() -> dict[str, Any]:
    return {"committed_revision": 0, "committed_task_id": None, "chunks": None}


async def _change_documents(
    connection: AsyncConnection, whose_tasks: ColumnElement[bool], values: dict[str, Any]
) -> None:
    await connection.execute(
        update(documents)
        .where(
            whose_tasks,
            documents.c.workspace == tasks.c.workspace,
            documents.c.doc_id == tasks.c.doc_id,
        )
        .values(**values, updated_at_ms=now_ms())
    )
