"""New revisions of a document: an upload or a delete becomes a task and supersedes older work."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import DocumentNotFoundError, IdempotencyKeyReusedError
from shared.ids import DocumentId, TaskId, WorkspaceName, new_task_id, physical_workspace
from shared.ledger.clock import now_ms
from shared.ledger.interventions import find_task
from shared.ledger.locks import lock_active_workspace, lock_document
from shared.ledger.records import Accepted, NewUpload, Task, TaskKind, TaskState
from shared.ledger.rows import OPEN_STATES, AnyRow, ended, storable, to_task
from shared.ledger.tables import documents, tasks, upload_keys
from shared.tracing.spans import traceparent

_MADE_NOW = {"created_at_ms": now_ms(), "updated_at_ms": now_ms()}
# Made once: with a value for each column that takes longer than the database does.
_NEW_TASK = insert(tasks).values(_MADE_NOW).returning(tasks)
_NEW_READY_TASK = _NEW_TASK.values(ready_at_ms=now_ms())


class KeyRaceError(Exception):
    """Somebody used the same Idempotency-Key at the same moment; look again from the start."""


async def accept(connection: AsyncConnection, upload: NewUpload) -> Accepted:
    """Make an upload a task, or find the task that stands for it already.

    Raises:
        WorkspaceNotFoundError: there is none, or it is being deleted.
        IdempotencyKeyReusedError: the key belongs to another upload.
        KeyRaceError: roll back and call again.
    """
    workspace = await lock_active_workspace(connection, upload.workspace)
    physical = physical_workspace(upload.workspace, generation=workspace.generation)
    known = await _find_by_key(connection, upload, physical=physical)
    if known is not None:
        return Accepted(task=known, created=False)
    accepted = await _add_document(connection, upload, physical=physical)
    if accepted is None:
        accepted = await _add_to_document(connection, upload, physical=physical)
    await _remember_key(connection, upload, physical=physical, task_id=accepted.task.id)
    return accepted


async def request_delete(
    connection: AsyncConnection,
    workspace: WorkspaceName,
    doc_id: DocumentId,
    *,
    request_id: str | None,
) -> Task:
    """Make a delete a task, or find the one that is pending.

    Raises:
        WorkspaceNotFoundError: there is none, or it is being deleted.
        DocumentNotFoundError: there is none, or it is deleted already.
    """
    row = await lock_active_workspace(connection, workspace)
    document = await lock_document(connection, workspace, doc_id)
    if document is None or document.deleted:
        raise DocumentNotFoundError
    latest = await find_task(connection, TaskId(document.latest_task_id))
    if latest.kind is TaskKind.DELETE and not latest.state.is_final:
        return latest
    task = await _add_revision(
        connection,
        document,
        values={
            "physical": physical_workspace(workspace, generation=row.generation),
            "kind": TaskKind.DELETE,
            "state": TaskState.READY,
            "file_name": document.file_name,
            "content_type": document.content_type,
            "size_bytes": 0,
            "sha256": "",
            "request_id": request_id,
        },
    )
    await _point_to(connection, task, values={})
    return task


def insert_unless_there(
    connection: AsyncConnection | Connection, table: Table
) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that does nothing when the row exists; it waits for one being inserted."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


async def _find_by_key(
    connection: AsyncConnection, upload: NewUpload, *, physical: str
) -> Task | None:
    if upload.idempotency_key is None:
        return None
    found = await connection.execute(
        select(upload_keys).where(
            upload_keys.c.physical == physical,
            upload_keys.c.idempotency_key == upload.idempotency_key,
        )
    )
    row = found.one_or_none()
    if row is None:
        return None
    if (row.doc_id, row.sha256) != (upload.doc_id, upload.sha256):
        raise IdempotencyKeyReusedError
    return await find_task(connection, TaskId(row.task_id))


async def _add_document(
    connection: AsyncConnection, upload: NewUpload, *, physical: str
) -> Accepted | None:
    """Add a document with its first revision; None: it is there."""
    task_id = new_task_id()
    values = {
        "workspace": upload.workspace,
        "doc_id": upload.doc_id,
        "latest_revision": 1,
        "latest_task_id": task_id,
        **_file(upload),
    }
    added = await connection.execute(
        insert_unless_there(connection, documents).values(_MADE_NOW), values
    )
    if added.rowcount == 0:
        return None
    values = _upload_task(upload, physical=physical) | {"id": task_id, "revision": 1}
    return Accepted(task=await _add_task(connection, values), created=True)


async def _add_to_document(
    connection: AsyncConnection, upload: NewUpload, *, physical: str
) -> Accepted:
    document = await lock_document(connection, upload.workspace, upload.doc_id)
    if document is None:  # a drop would have to remove it, and that needs the workspace's lock
        raise DocumentNotFoundError
    task = await _same_bytes(connection, document, upload=upload)
    if task is not None:
        return Accepted(task=task, created=False)
    task = await _add_revision(connection, document, values=_upload_task(upload, physical=physical))
    await _point_to(connection, task, values={**_file(upload), "deleted": False})
    return Accepted(task=task, created=True)


async def _same_bytes(
    connection: AsyncConnection, document: AnyRow, *, upload: NewUpload
) -> Task | None:
    task = await find_task(connection, TaskId(document.latest_task_id))
    gone = {TaskState.FAILED, TaskState.CANCELLED, TaskState.SUPERSEDED}
    if task.kind is TaskKind.INSERT and task.sha256 == upload.sha256 and task.state not in gone:
        return task
    return None


def _upload_task(upload: NewUpload, *, physical: str) -> dict[str, Any]:
    return {
        "workspace": upload.workspace,
        "doc_id": upload.doc_id,
        "physical": physical,
        "kind": TaskKind.INSERT,
        "state": TaskState.QUEUED,
        "object_key": upload.object_key,
        "request_id": upload.request_id,
        **_file(upload),
    }


async def _add_revision(
    connection: AsyncConnection, document: AnyRow, *, values: dict[str, Any]
) -> Task:
    await connection.execute(
        update(tasks)
        .where(_belongs_to(document), tasks.c.state.in_(OPEN_STATES))
        .values(**ended(TaskState.SUPERSEDED))
    )
    return await _add_task(
        connection,
        {
            **values,
            "id": new_task_id(),
            "workspace": document.workspace,
            "doc_id": document.doc_id,
            "revision": document.latest_revision + 1,
        },
    )


async def _add_task(connection: AsyncConnection, values: dict[str, Any]) -> Task:
    statement = _NEW_READY_TASK if values["state"] is TaskState.READY else _NEW_TASK
    values = {**values, "trace_parent": traceparent()}
    return to_task((await connection.execute(statement, values)).one())


def _belongs_to(document: AnyRow) -> ColumnElement[bool]:
    return and_(tasks.c.workspace == document.workspace, tasks.c.doc_id == document.doc_id)


async def _point_to(connection: AsyncConnection, task: Task, *, values: dict[str, Any]) -> None:
    await connection.execute(
        update(documents)
        .where(documents.c.workspace == task.workspace, documents.c.doc_id == task.doc_id)
        .values(
            latest_revision=task.revision,
            latest_task_id=task.id,
            updated_at_ms=now_ms(),
            **values,
        )
    )


async def _remember_key(
    connection: AsyncConnection, upload: NewUpload, *, physical: str, task_id: TaskId
) -> None:
    if upload.idempotency_key is None:
        return
    remembered = await connection.execute(
        insert_unless_there(connection, upload_keys).values(
            physical=physical,
            idempotency_key=upload.idempotency_key,
            task_id=task_id,
            doc_id=upload.doc_id,
            sha256=upload.sha256,
        )
    )
    if remembered.rowcount == 0:
        raise KeyRaceError


def _file(upload: NewUpload) -> dict[str, object]:
    return {
        "file_name": storable(upload.file_name),
        "content_type": storable(upload.content_type),
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
    }
