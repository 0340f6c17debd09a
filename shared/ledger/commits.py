"""The commit stage of tasks: gathered into a group, tied to a journal, ended when it is applied.

Every function holds the workspace's lease for its whole transaction: what a committer that lost it
still tries to write down changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import TaskId
from shared.ledger import commit_leases
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms
from shared.ledger.records import CommitLease, GroupBounds, Task, TaskKind, TaskState
from shared.ledger.rows import AnyRow, ended, failed, is_in, reason, to_task
from shared.ledger.tables import batches, documents, tasks


async def gather(
    connection: AsyncConnection, lease: CommitLease, bounds: GroupBounds
) -> list[Task]:
    """Choose what the next group commits, oldest first; nothing is moved yet.

    A group is one task alone where that is safer or needed: a document of which a part is in the
    graph already, the removal of the workspace, a task whose earlier committer died.

    Returns:
        At least one task, or none when nothing is ready or the lease was lost.
    """
    if not await commit_leases.hold(connection, lease):
        return []
    started = await _oldest_started(connection, lease)
    if started is not None:
        return await _mark(connection, lease, [started])
    await _supersede_stale(connection, lease)
    candidates = await _ready(connection, lease, limit=bounds.tasks)
    return await _mark(connection, lease, _one_group(candidates, bounds))


async def hand_back(
    connection: AsyncConnection, lease: CommitLease, task_ids: Sequence[TaskId]
) -> None:
    """Let go of gathered tasks that the group has no room for."""
    if await commit_leases.hold(connection, lease):
        await connection.execute(
            update(tasks).where(_is_gathered(lease, task_ids)).values(commit_token=0)
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
    ours = and_(_is_committing(lease), tasks.c.id.in_(task_ids))
    # Documents before tasks, everywhere: that order keeps transactions from deadlocking.
    for kind, values in ((TaskKind.INSERT, _in_the_graph()), (TaskKind.DELETE, _out_of_it())):
        await connection.execute(
            update(documents)
            .where(
                ours,
                tasks.c.kind == kind,
                documents.c.workspace == tasks.c.workspace,
                documents.c.doc_id == tasks.c.doc_id,
            )
            .values(**values, updated_at_ms=now_ms())
        )
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
    await connection.execute(
        update(tasks)
        .where(_is_committing(lease), tasks.c.id == task_id)
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
    """Give one task up, of which nothing is in the stores (any more)."""
    if not await commit_leases.hold(connection, lease):
        return
    await connection.execute(
        update(tasks)
        .where(_is_at_commit(lease), tasks.c.id == task_id)
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
    """Let gathered tasks wait; those that were cancelled or overtaken meanwhile stay so."""
    if not await commit_leases.hold(connection, lease):
        return
    await connection.execute(
        update(tasks)
        .where(_is_gathered(lease, task_ids))
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
            .where(_is_at_commit(lease))
            .values(**reason(error_code, error_detail), updated_at_ms=now_ms())
        )


def _one_group(candidates: list[AnyRow], bounds: GroupBounds) -> list[AnyRow]:
    group: list[AnyRow] = []
    chunks = 0
    for row in candidates:
        alone = row.strikes > 0 or row.commit_token or row.kind == TaskKind.DROP_WORKSPACE
        chunks += row.weight
        if group and (alone or chunks > bounds.chunks):
            break
        group.append(row)
        if alone:
            break
    return group


async def _oldest_started(connection: AsyncConnection, lease: CommitLease) -> AnyRow | None:
    """Find what is half done: journals are all applied by now, so this is no group of theirs."""
    statement = (
        select(tasks)
        .where(_is_committing(lease), is_due(tasks.c.next_attempt_at_ms))
        .order_by(tasks.c.ready_at_ms, tasks.c.id)
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def _supersede_stale(connection: AsyncConnection, lease: CommitLease) -> None:
    newer_is_in = exists().where(
        documents.c.workspace == tasks.c.workspace,
        documents.c.doc_id == tasks.c.doc_id,
        documents.c.committed_revision >= tasks.c.revision,
    )
    await connection.execute(
        update(tasks)
        .where(tasks.c.workspace == lease.workspace, is_in(TaskState.READY), newer_is_in)
        .values(**ended(TaskState.SUPERSEDED))
    )


async def _ready(connection: AsyncConnection, lease: CommitLease, *, limit: int) -> list[AnyRow]:
    other = tasks.alias("other")
    half_done = and_(other.c.workspace == tasks.c.workspace, is_in(TaskState.COMMITTING, other))
    same_document = exists().where(half_done, other.c.doc_id == tasks.c.doc_id)
    # A workspace is removed when nothing else of it is open.
    premature_drop = and_(
        tasks.c.kind == TaskKind.DROP_WORKSPACE, exists().where(half_done).correlate(tasks)
    )
    # What a delete undoes is about as much work as what it was to write it.
    weight = func.coalesce(tasks.c.chunks_total, documents.c.chunks, 1)
    statement = (
        select(tasks, weight.label("weight"))
        .outerjoin(
            documents,
            and_(documents.c.workspace == tasks.c.workspace, documents.c.doc_id == tasks.c.doc_id),
        )
        .where(
            tasks.c.workspace == lease.workspace,
            tasks.c.physical == lease.physical,
            is_in(TaskState.READY),
            is_due(tasks.c.next_attempt_at_ms),
            ~same_document,
            ~premature_drop,
        )
        .order_by(tasks.c.ready_at_ms, tasks.c.id)
        .limit(limit)
    )
    return list((await connection.execute(statement)).all())


async def _mark(
    connection: AsyncConnection, lease: CommitLease, rows: Sequence[AnyRow]
) -> list[Task]:
    """Sign the tasks with our token: signed by another, they were in a committer that died."""
    if not rows:
        return []
    abandoned = and_(tasks.c.commit_token != 0, tasks.c.commit_token != lease.token)
    statement = (
        update(tasks)
        .where(tasks.c.id.in_([row.id for row in rows]), _is_at_commit(lease))
        .values(
            commit_token=lease.token,
            state=case(
                (tasks.c.kind == TaskKind.DROP_WORKSPACE, TaskState.COMMITTING.value),
                else_=tasks.c.state,
            ),
            # The commit belongs to the attempt that prepared the document; a delete begins here.
            attempt=case(
                (tasks.c.attempt == 0, 1), (abandoned, tasks.c.attempt + 1), else_=tasks.c.attempt
            ),
            strikes=tasks.c.strikes + case((abandoned, 1), else_=0),
            started_at_ms=func.coalesce(tasks.c.started_at_ms, now_ms()),
            updated_at_ms=now_ms(),
        )
        .returning(tasks)
    )
    found = {row.id: to_task(row) for row in (await connection.execute(statement)).all()}
    return [found[row.id] for row in rows if row.id in found]


def _is_of(lease: CommitLease) -> ColumnElement[bool]:
    return and_(tasks.c.workspace == lease.workspace, tasks.c.physical == lease.physical)


def _is_committing(lease: CommitLease) -> ColumnElement[bool]:
    return and_(_is_of(lease), is_in(TaskState.COMMITTING))


def _is_at_commit(lease: CommitLease) -> ColumnElement[bool]:
    return and_(_is_of(lease), tasks.c.state.in_([TaskState.READY, TaskState.COMMITTING]))


def _is_gathered(lease: CommitLease, task_ids: Sequence[TaskId]) -> ColumnElement[bool]:
    return and_(_is_at_commit(lease), tasks.c.id.in_(task_ids), tasks.c.commit_token == lease.token)


def _in_the_graph() -> dict[str, Any]:
    return {
        "committed_revision": tasks.c.revision,
        "committed_task_id": tasks.c.id,
        "chunks": tasks.c.chunks_total,
    }


def _out_of_it() -> dict[str, Any]:
    return {
        "committed_revision": 0,
        "committed_task_id": None,
        "chunks": None,
        # An upload that came after the delete keeps the document alive.
        "deleted": documents.c.latest_revision == tasks.c.revision,
    }
