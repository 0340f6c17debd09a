"""The life of a workspace: created, closed and removed, created again as the next generation."""

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import WorkspaceNotFoundError
from shared.ids import DEFAULT_WORKSPACE, TaskId, WorkspaceName, new_task_id, physical_workspace
from shared.ledger import commit_leases
from shared.ledger.clock import now_ms
from shared.ledger.holds import end_pause
from shared.ledger.records import CommitLease, Task, TaskKind, TaskState, Workspace
from shared.ledger.revisions import insert_unless_there
from shared.ledger.rows import (
    ENDED_STATES,
    OPEN_STATES,
    ended,
    succeeded,
    to_task,
    to_workspace,
)
from shared.ledger.tables import applied_journals, batches, documents, journals, tasks, workspaces
from shared.ledger.tables import commit_leases as lease_table
from shared.tracing.spans import traceparent


async def create(connection: AsyncConnection, name: WorkspaceName) -> Workspace | None:
    """Make a workspace; None: it exists."""
    again = await connection.execute(
        update(workspaces)
        .where(workspaces.c.name == name, workspaces.c.state == "dropped")
        .values(**_fresh(), generation=workspaces.c.generation + 1)
        .returning(workspaces)
    )
    row = again.one_or_none()
    if row is None:
        first = await connection.execute(
            insert_unless_there(connection, workspaces)
            .values(name=name, generation=1, **_fresh())
            .returning(workspaces)
        )
        row = first.one_or_none()
    if row is None:
        return None
    await connection.execute(insert_unless_there(connection, lease_table).values(workspace=name))
    return to_workspace(row)


async def request_drop(connection: AsyncConnection, name: WorkspaceName) -> Task:
    """Close a workspace, supersede its open work, and order its removal.

    Raises:
        WorkspaceNotFoundError: there is none.
    """
    # A group of tasks and all open tasks lock rows in different orders: one after the other.
    await connection.execute(
        select(lease_table.c.workspace).where(lease_table.c.workspace == name).with_for_update()
    )
    closed = await connection.execute(
        update(workspaces)
        .where(workspaces.c.name == name, workspaces.c.state == "active")
        .values(state="deleting")
        .returning(workspaces.c.generation)
    )
    generation = closed.scalar_one_or_none()
    if generation is None:
        return await _pending_drop(connection, name)
    await end_pause(connection, name)  # or it would never go
    await connection.execute(
        update(tasks)
        .where(tasks.c.workspace == name, tasks.c.state.in_(OPEN_STATES))
        .values(**ended(TaskState.SUPERSEDED))
    )
    added = await connection.execute(
        insert(tasks)
        .values(
            id=new_task_id(),
            workspace=name,
            physical=physical_workspace(name, generation=generation),
            kind=TaskKind.DROP_WORKSPACE,
            state=TaskState.READY,
            file_name="",
            content_type="",
            size_bytes=0,
            sha256="",
            trace_parent=traceparent(),
            created_at_ms=now_ms(),
            updated_at_ms=now_ms(),
            ready_at_ms=now_ms(),
        )
        .returning(tasks)
    )
    return to_task(added.one())


async def finish_drop(connection: AsyncConnection, lease: CommitLease, task_id: TaskId) -> bool:
    """Remove documents and batches and end the drop; `default` is there again at once."""
    if not await commit_leases.hold(connection, lease):
        return False
    values: dict[str, Any] = {"state": "dropped"}
    if lease.workspace == DEFAULT_WORKSPACE:
        values = {**_fresh(), "generation": workspaces.c.generation + 1}
    this_drop = (
        select(tasks.c.id)
        .where(
            tasks.c.id == task_id,
            tasks.c.physical == lease.physical,
            tasks.c.kind == TaskKind.DROP_WORKSPACE,
            tasks.c.state == TaskState.COMMITTING,
        )
        .exists()
    )
    dropped = await connection.execute(
        update(workspaces)
        .where(workspaces.c.name == lease.workspace, workspaces.c.state == "deleting", this_drop)
        .values(**values)
    )
    if dropped.rowcount == 0:
        return False
    await _remove_rows(connection, lease)
    await connection.execute(update(tasks).where(tasks.c.id == task_id).values(**succeeded()))
    await connection.execute(
        update(tasks)
        .where(tasks.c.workspace == lease.workspace, tasks.c.state.not_in(ENDED_STATES))
        .values(**ended(TaskState.SUPERSEDED))
    )
    return True


async def _remove_rows(connection: AsyncConnection, lease: CommitLease) -> None:
    its_tasks = select(tasks.c.id).where(tasks.c.workspace == lease.workspace)
    await connection.execute(delete(batches).where(batches.c.task_id.in_(its_tasks)))
    await connection.execute(delete(documents).where(documents.c.workspace == lease.workspace))
    # No later generation has this name; what is in quarantine waits for a person to look at it.
    for table in (journals, applied_journals):
        await connection.execute(delete(table).where(table.c.physical == lease.physical))


async def _pending_drop(connection: AsyncConnection, name: WorkspaceName) -> Task:
    found = await connection.execute(
        select(tasks)
        .join(workspaces, workspaces.c.name == tasks.c.workspace)
        .where(
            tasks.c.workspace == name,
            tasks.c.kind == TaskKind.DROP_WORKSPACE,
            workspaces.c.state == "deleting",
        )
        .order_by(tasks.c.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    if row is None:
        raise WorkspaceNotFoundError.of(name)
    return to_task(row)


def _fresh() -> dict[str, Any]:
    return {
        "state": "active",
        "embedding_model": None,
        "embedding_dim": None,
        "created_at_ms": now_ms(),
    }
