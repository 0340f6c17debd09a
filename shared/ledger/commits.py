"""The commit stage of a task; every function holds the workspace's lease while it writes."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import TaskId
from shared.ledger import commit_leases
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms
from shared.ledger.locks import lock_workspace
from shared.ledger.records import CommitLease, Task, TaskKind, TaskState
from shared.ledger.rows import AnyRow, ended, failed, is_in, reason, succeeded, to_task
from shared.ledger.tables import batches, documents, tasks


async def claim_commit(connection: AsyncConnection, lease: CommitLease) -> Task | None:
    """Take what an earlier holder left behind, else the oldest ready task that may go now."""
    if not await commit_leases.hold(connection, lease):
        return None
    leftover = await _claim_leftover(connection, lease)
    if leftover is not None:
        return leftover
    while (candidate := await _oldest_ready(connection, lease)) is not None:
        if candidate.is_stale:
            await _move(connection, candidate.id, values=ended(TaskState.SUPERSEDED))
            continue
        claimed = await _move(connection, candidate.id, values=_started(lease))
        if claimed is not None:
            return to_task(claimed)
        # A cancel or a newer revision was faster; whatever it left is not ready any more.
    return None


async def finish_commit(
    connection: AsyncConnection, lease: CommitLease, task_id: TaskId, *, chunks: int | None
) -> bool:
    """Make a committed task succeed and its document show what is in the graph now."""
    if not await commit_leases.hold(connection, lease):
        return False
    await _lock_document_of(connection, task_id)
    task = await _end(connection, lease, task_id, values=succeeded())
    if task is None:
        return False
    await connection.execute(delete(batches).where(batches.c.task_id == task_id))
    await connection.execute(
        update(documents)
        .where(documents.c.workspace == task.workspace, documents.c.doc_id == task.doc_id)
        .values(**_outcome(task, chunks=chunks), updated_at_ms=now_ms())
    )
    return True


async def postpone_commit(  # noqa: PLR0913 - what happened and when to go on belong together
    connection: AsyncConnection,
    lease: CommitLease,
    task_id: TaskId,
    *,
    delay_ms: int,
    error_code: str,
    error_detail: str,
    strike: bool,
) -> None:
    """Put a task back, unless it was overtaken while it was being committed."""
    if not await commit_leases.hold(connection, lease):
        return
    workspace = await lock_workspace(connection, lease.workspace)
    revisions = await _lock_document_of(connection, task_id)
    values = {
        "state": TaskState.READY,
        "attempt": tasks.c.attempt + 1,
        "next_attempt_at_ms": now_ms() + delay_ms,
        "updated_at_ms": now_ms(),
    }
    if revisions is not None and (
        workspace is None
        or workspace.state != "active"
        or revisions.latest_revision > revisions.revision
    ):
        values = ended(TaskState.SUPERSEDED)
    values |= reason(error_code, error_detail) | {"strikes": tasks.c.strikes + int(strike)}
    await _end(connection, lease, task_id, values=values)


async def fail_commit(
    connection: AsyncConnection,
    lease: CommitLease,
    task_id: TaskId,
    *,
    error_code: str,
    error_detail: str,
) -> None:
    """Give a task up."""
    if await commit_leases.hold(connection, lease):
        await _end(connection, lease, task_id, values=failed(error_code, error_detail))


async def _claim_leftover(connection: AsyncConnection, lease: CommitLease) -> Task | None:
    oldest = (
        select(tasks.c.id)
        .where(_is_committing(lease), tasks.c.commit_token < lease.token)
        .order_by(tasks.c.ready_at_ms, tasks.c.id)
        .limit(1)
    )
    statement = (
        update(tasks)
        .where(tasks.c.id == oldest.scalar_subquery())
        .values(
            commit_token=lease.token,
            attempt=tasks.c.attempt + 1,
            strikes=tasks.c.strikes + 1,
            updated_at_ms=now_ms(),
        )
        .returning(tasks)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else to_task(row)


async def _oldest_ready(connection: AsyncConnection, lease: CommitLease) -> AnyRow | None:
    other = tasks.alias("other")
    committing = and_(other.c.workspace == tasks.c.workspace, is_in(TaskState.COMMITTING, other))
    # Two revisions never share a group, and a workspace is dropped when nothing else is open.
    same_document = exists().where(committing, other.c.doc_id == tasks.c.doc_id)
    premature_drop = and_(
        tasks.c.kind == TaskKind.DROP_WORKSPACE, exists().where(committing).correlate(tasks)
    )
    is_stale = tasks.c.revision <= documents.c.committed_revision
    statement = (
        select(tasks.c.id, case((is_stale, 1), else_=0).label("is_stale"))
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
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


def _started(lease: CommitLease) -> dict[str, object]:
    return {
        "state": TaskState.COMMITTING,
        "commit_token": lease.token,
        # The commit belongs to the attempt that prepared the document; a delete begins here.
        "attempt": case((tasks.c.attempt == 0, 1), else_=tasks.c.attempt),
        "next_attempt_at_ms": None,
        "started_at_ms": case(
            (tasks.c.started_at_ms.is_(None), now_ms()), else_=tasks.c.started_at_ms
        ),
        "updated_at_ms": now_ms(),
    }


async def _move(
    connection: AsyncConnection, task_id: str, *, values: dict[str, object]
) -> AnyRow | None:
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == TaskState.READY)
        .values(**values)
        .returning(tasks)
    )
    row: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return row


def _is_committing(lease: CommitLease) -> ColumnElement[bool]:
    return and_(
        tasks.c.workspace == lease.workspace,
        tasks.c.physical == lease.physical,
        is_in(TaskState.COMMITTING),
    )


async def _end(
    connection: AsyncConnection, lease: CommitLease, task_id: TaskId, *, values: dict[str, Any]
) -> AnyRow | None:
    """Take a task out of `committing`."""
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, _is_committing(lease))
        .values(**values)
        .returning(tasks)
    )
    row: AnyRow | None = (await connection.execute(statement)).one_or_none()
    return row


async def _lock_document_of(connection: AsyncConnection, task_id: TaskId) -> AnyRow | None:
    """Lock the document before its task, as everybody does; None: the task has none."""
    statement = (
        select(tasks.c.revision, documents.c.latest_revision)
        .join(
            documents,
            and_(documents.c.workspace == tasks.c.workspace, documents.c.doc_id == tasks.c.doc_id),
        )
        .where(tasks.c.id == task_id)
        .with_for_update(of=documents)
    )
    return (await connection.execute(statement)).one_or_none()


def _outcome(task: AnyRow, *, chunks: int | None) -> dict[str, Any]:
    if task.kind == TaskKind.DELETE:
        return {
            "committed_revision": 0,
            "committed_task_id": None,
            "chunks": None,
            # An upload that came after the delete keeps the document alive.
            "deleted": documents.c.latest_revision == task.revision,
        }
    return {"committed_revision": task.revision, "committed_task_id": task.id, "chunks": chunks}
