"""What people ask of a task: to stop, or to try once more."""

from sqlalchemy import and_, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import TaskNotCancellableError, TaskNotFoundError, TaskNotRetryableError
from shared.ids import DocumentId, TaskId, WorkspaceName, physical_workspace
from shared.ledger.clock import now_ms
from shared.ledger.locks import lock_document, lock_workspace
from shared.ledger.records import Task, TaskKind, TaskState
from shared.ledger.rows import OPEN_STATES, ended, to_task
from shared.ledger.tables import tasks


async def find_task(connection: AsyncConnection, task_id: TaskId) -> Task:
    """Return a task.

    Raises:
        TaskNotFoundError: there is none.
    """
    row = (await connection.execute(select(tasks).where(tasks.c.id == task_id))).one_or_none()
    if row is None:
        raise TaskNotFoundError
    return to_task(row)


async def request_cancel(connection: AsyncConnection, task_id: TaskId) -> Task:
    """Cancel at once what nobody works on; ask the worker that prepares it to stop.

    Extraction is not asked: its batches see the state when they renew their leases.

    Raises:
        TaskNotFoundError: there is no such task.
        TaskNotCancellableError: it is being committed, has ended, or drops a workspace.
    """
    at_work = and_(tasks.c.state == TaskState.PREPARING, tasks.c.lease_until_ms > now_ms())
    cancelled = ended(TaskState.CANCELLED) | {"cancel_requested": at_work}
    statement = (
        update(tasks)
        .where(
            tasks.c.id == task_id,
            tasks.c.kind != TaskKind.DROP_WORKSPACE,
            tasks.c.state.in_(OPEN_STATES),
        )
        .values(
            {
                tasks.c[name]: value
                if name == "cancel_requested"
                else case((at_work, tasks.c[name]), else_=value)
                for name, value in cancelled.items()
            }
        )
        .returning(tasks)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is not None:
        return to_task(row)
    task = await find_task(connection, task_id)
    if task.state is not TaskState.CANCELLED:
        raise TaskNotCancellableError
    return task


async def retry(connection: AsyncConnection, task_id: TaskId) -> Task:
    """Start a failed or cancelled task over.

    Raises:
        TaskNotFoundError: there is no such task.
        TaskNotRetryableError: it is in another state, its document has a newer revision, or the
            workspace is gone.
    """
    task = await find_task(connection, task_id)
    if not await _is_latest(connection, task):
        raise TaskNotRetryableError
    is_insert = task.kind is TaskKind.INSERT
    statement = (
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state.in_([TaskState.FAILED, TaskState.CANCELLED]))
        .values(
            state=TaskState.QUEUED if is_insert else TaskState.READY,
            ready_at_ms=None if is_insert else now_ms(),
            # Preparing counts its own attempts.
            attempt=tasks.c.attempt + int(not is_insert),
            strikes=0,
            chunks_total=None,
            chunks_done=0,
            committed_chunks=0,
            commit_token=0,
            open_batches=0,
            error_code=None,
            error_detail=None,
            started_at_ms=None,
            finished_at_ms=None,
            next_attempt_at_ms=None,
            message_sent_at_ms=0,
            updated_at_ms=now_ms(),
        )
        .returning(tasks)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise TaskNotRetryableError
    return to_task(row)


async def _is_latest(connection: AsyncConnection, task: Task) -> bool:
    workspace = await lock_workspace(connection, WorkspaceName(task.workspace))
    if task.kind is TaskKind.DROP_WORKSPACE:
        return workspace is not None and workspace.state == "deleting"
    if workspace is None or workspace.state != "active":
        return False
    if task.doc_id is None:
        # An edit belongs to the graph for which it was made.
        return task.physical == physical_workspace(task.workspace, generation=workspace.generation)
    document = await lock_document(connection, task.workspace, DocumentId(task.doc_id))
    return document is not None and document.latest_task_id == task.id
