"""Rows as records, and the sets of values several statements write."""

from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Row, literal_column

from shared.graph_edits import GraphEdit
from shared.ids import (
    DocumentId,
    ObjectKey,
    PhysicalWorkspace,
    TaskId,
    WorkspaceName,
    physical_workspace,
)
from shared.ledger.clock import now_ms
from shared.ledger.records import (
    CANCELLABLE_STATES,
    FINAL_STATES,
    Batch,
    Document,
    Task,
    TaskKind,
    TaskState,
    Workspace,
)
from shared.ledger.tables import tasks

AnyRow: TypeAlias = Row[*tuple[Any, ...]]

OPEN_STATES = sorted(CANCELLABLE_STATES)
"""States in which a task can still be cancelled or superseded."""
ENDED_STATES = sorted(FINAL_STATES)

NO_LEASE: dict[str, Any] = {"lease_holder": None, "lease_until_ms": None}


def is_in(state: TaskState, table: FromClause = tasks) -> ColumnElement[bool]:
    """Return the condition that a task is in a state, written out so that partial indices serve it.

    A parameter would hide the value from the planner: PostgreSQL's generic plans, SQLite's always.
    """
    return table.c.state == literal_column(f"'{state.value}'")


def storable(text: str) -> str:
    """Return a text that PostgreSQL takes: no NUL, no half characters; foreign words hold both."""
    return text.replace("\0", " ").encode(errors="replace").decode()


def reason(error_code: str, error_detail: str) -> dict[str, str]:
    """Return the values that tell people what went wrong last."""
    return {"error_code": error_code, "error_detail": storable(error_detail)}


def ended(state: TaskState) -> dict[str, Any]:
    """Return the values of a task that comes to its end in this state."""
    return {
        **NO_LEASE,
        "state": state,
        "cancel_requested": False,
        "next_attempt_at_ms": None,
        "finished_at_ms": now_ms(),
        "updated_at_ms": now_ms(),
    }


def succeeded() -> dict[str, Any]:
    """Return the values of a task that did what it was for, whatever went wrong on the way."""
    return {**ended(TaskState.SUCCEEDED), "error_code": None, "error_detail": None}


def failed(error_code: str, error_detail: str) -> dict[str, Any]:
    """Return the values of a task that is given up."""
    return {**ended(TaskState.FAILED), **reason(error_code, error_detail)}


def to_task(row: AnyRow) -> Task:
    """Make a task of a row of the table."""
    return Task(
        id=TaskId(row.id),
        workspace=WorkspaceName(row.workspace),
        physical=PhysicalWorkspace(row.physical),
        kind=TaskKind(row.kind),
        doc_id=None if row.doc_id is None else DocumentId(row.doc_id),
        revision=row.revision,
        state=TaskState(row.state),
        attempt=row.attempt,
        strikes=row.strikes,
        lease_token=row.lease_token,
        cancel_requested=row.cancel_requested,
        chunks_total=row.chunks_total,
        chunks_done=row.chunks_done,
        object_key=None if row.object_key is None else ObjectKey(row.object_key),
        file_name=row.file_name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        error_code=row.error_code,
        error_detail=row.error_detail,
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
        started_at_ms=row.started_at_ms,
        finished_at_ms=row.finished_at_ms,
        next_attempt_at_ms=row.next_attempt_at_ms,
        prepare_attempt=row.prepare_attempt,
        committed_chunks=row.committed_chunks,
        request_id=row.request_id,
        trace_parent=row.trace_parent,
        edit=None if row.payload is None else GraphEdit.of_row(row.payload),
    )


def to_document(row: AnyRow) -> Document:
    """Make a document of a row that was joined with its latest task."""
    return Document(
        workspace=WorkspaceName(row.workspace),
        doc_id=DocumentId(row.doc_id),
        latest_revision=row.latest_revision,
        committed_revision=row.committed_revision,
        deleted=row.deleted,
        latest_task_id=TaskId(row.latest_task_id),
        latest_task_state=TaskState(row.latest_task_state),
        latest_task_kind=TaskKind(row.latest_task_kind),
        file_name=row.file_name,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        chunks=row.chunks,
        created_at_ms=row.created_at_ms,
        updated_at_ms=row.updated_at_ms,
    )


def to_workspace(row: AnyRow) -> Workspace:
    """Make a workspace of a row of the table."""
    name = WorkspaceName(row.name)
    return Workspace(
        name=name,
        generation=row.generation,
        physical=physical_workspace(name, generation=row.generation),
        embedding_model=row.embedding_model,
        embedding_dim=row.embedding_dim,
        created_at_ms=row.created_at_ms,
    )


def to_batch(row: AnyRow) -> Batch:
    """Make a batch of a row of the table."""
    return Batch(
        task_id=TaskId(row.task_id),
        prepare_attempt=row.prepare_attempt,
        index=row.batch_index,
        chunk_count=row.chunk_count,
        chunks=row.chunks,
        result=row.result,
        done=row.done,
    )
