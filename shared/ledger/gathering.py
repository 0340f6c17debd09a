"""Which tasks of a workspace go into the next group of its committer, and which go alone."""

from collections.abc import Sequence

from sqlalchemy import and_, case, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import TaskId
from shared.ledger import commit_leases
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms
from shared.ledger.commits import is_at_commit, is_committing, is_of
from shared.ledger.hold_rows import is_paused
from shared.ledger.records import CommitLease, GroupBounds, Task, TaskKind, TaskState
from shared.ledger.rows import AnyRow, ended, is_in, to_task
from shared.ledger.tables import documents, tasks

# An edit sees the graph as the tasks before it left it, and is seen by those after it.
_ALONE = {TaskKind.DROP_WORKSPACE, TaskKind.EDIT}


async def gather(
    connection: AsyncConnection, lease: CommitLease, bounds: GroupBounds
) -> list[Task]:
    """Choose what the next group commits, oldest first; nothing is moved yet.

    A group is one task alone where that is safer or needed: a document of which a part is in the
    graph already, the removal of the workspace, an edit, a task whose earlier committer died.

    Returns:
        At least one task, or none when nothing is ready, the workspace is paused or the lease lost.
    """
    if not await commit_leases.hold(connection, lease):
        return []
    if (await connection.execute(select(is_paused(literal(lease.workspace))))).scalar_one():
        return []
    started = await _oldest_started(connection, lease)
    if started is not None:
        return await _mark(connection, lease, [started])
    candidates = await _ready(connection, lease, limit=bounds.tasks)
    fresh = [row for row in candidates if row.revision > row.committed_revision]
    if len(fresh) < len(candidates):
        await _supersede(connection, {row.id for row in candidates} - {row.id for row in fresh})
    return await _mark(connection, lease, _one_group(fresh, bounds))


def _one_group(candidates: list[AnyRow], bounds: GroupBounds) -> list[AnyRow]:
    group: list[AnyRow] = []
    chunks = 0
    for row in candidates:
        alone = row.strikes > 0 or row.commit_token or row.kind in _ALONE
        chunks += row.weight
        if group and (alone or chunks > bounds.chunks):
            break
        group.append(row)
        if alone:
            break
    return group


async def _oldest_started(connection: AsyncConnection, lease: CommitLease) -> AnyRow | None:
    """Find what is half done: a document of which a part is in, a drop that was begun."""
    statement = (
        select(tasks)
        .where(
            is_committing(lease),
            is_due(tasks.c.next_attempt_at_ms),
            # Signed by us: in the journal that we apply just now.
            tasks.c.commit_token != lease.token,
        )
        .order_by(tasks.c.ready_at_ms, tasks.c.id)
        .limit(1)
    )
    return (await connection.execute(statement)).one_or_none()


async def _supersede(connection: AsyncConnection, task_ids: set[TaskId]) -> None:
    """End tasks whose document has a newer revision in the graph."""
    await connection.execute(
        update(tasks)
        .where(tasks.c.id.in_(task_ids), is_in(TaskState.READY))
        .values(**ended(TaskState.SUPERSEDED))
    )


async def _ready(connection: AsyncConnection, lease: CommitLease, *, limit: int) -> list[AnyRow]:
    # What a delete undoes is about as much work as what it was to write it.
    weight = func.coalesce(tasks.c.chunks_total, documents.c.chunks, 1)
    # The removal of a workspace and an edit have no document and revision 0.
    in_the_graph = func.coalesce(documents.c.committed_revision, -1)
    statement = (
        select(tasks, weight.label("weight"), in_the_graph.label("committed_revision"))
        .outerjoin(
            documents,
            and_(documents.c.workspace == tasks.c.workspace, documents.c.doc_id == tasks.c.doc_id),
        )
        .where(
            is_of(lease),
            is_in(TaskState.READY),
            is_due(tasks.c.next_attempt_at_ms),
            ~commit_leases.waits_for_another(),
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
        .where(tasks.c.id.in_([row.id for row in rows]), is_at_commit(lease))
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
