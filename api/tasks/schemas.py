"""Tasks as the API shows them."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from api.usage.schemas import UsageView
from shared.graph_edits import EditOperation
from shared.ledger.accounts import UsageRow
from shared.ledger.records import Page, Task, TaskKind, TaskState

Stage = Literal["prepare", "extract", "commit"]

_STAGES: dict[TaskState, Stage] = {
    TaskState.QUEUED: "prepare",
    TaskState.PREPARING: "prepare",
    TaskState.EXTRACTING: "extract",
    TaskState.READY: "commit",
    TaskState.COMMITTING: "commit",
}


class TaskErrorView(BaseModel):
    """Why a task failed, or why its last attempt did."""

    code: str
    detail: str


class ChunksView(BaseModel):
    """How far extraction is; `total` is null until the document is cut up."""

    done: int
    total: int | None


class EditView(BaseModel):
    """What a task of the kind `edit` does, and to what."""

    operation: EditOperation
    subject: str


class TaskView(BaseModel):
    """One task; times are ISO 8601 in UTC, `stage` is null once the task has ended."""

    id: str
    kind: TaskKind
    state: TaskState
    stage: Stage | None
    workspace: str
    doc_id: str | None
    revision: int
    file_name: str
    size_bytes: int
    chunks: ChunksView
    edit: EditView | None
    attempt: int
    cancel_requested: bool
    error: TaskErrorView | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None

    @classmethod
    def of(cls, task: Task) -> "TaskView":
        """Show one row of the ledger."""
        return cls(
            id=task.id,
            kind=task.kind,
            state=task.state,
            stage=_STAGES.get(task.state),
            workspace=task.workspace,
            doc_id=task.doc_id,
            revision=task.revision,
            file_name=task.file_name,
            size_bytes=task.size_bytes,
            chunks=ChunksView(done=task.chunks_done, total=task.chunks_total),
            edit=_edit_of(task),
            attempt=task.attempt,
            cancel_requested=task.cancel_requested,
            error=_error_of(task),
            created_at=utc_time(task.created_at_ms),
            updated_at=utc_time(task.updated_at_ms),
            started_at=_time_or_none(task.started_at_ms),
            finished_at=_time_or_none(task.finished_at_ms),
            next_attempt_at=_time_or_none(task.next_attempt_at_ms),
        )


class TaskDetails(TaskView):
    """One task, and what models were used for it so far; calls that rules answer do not count."""

    usage: list[UsageView]

    @classmethod
    def with_usage(cls, task: Task, usage: list[UsageRow]) -> "TaskDetails":
        """Show one row of the ledger with its account."""
        return cls(**TaskView.of(task).model_dump(), usage=[UsageView.of(row) for row in usage])


class TaskPage(BaseModel):
    """Some tasks, newest first; `cursor` continues after them, null means that was all."""

    tasks: list[TaskView]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[Task]) -> "TaskPage":
        """Show one page of the ledger."""
        return cls(tasks=[TaskView.of(task) for task in page.rows], cursor=page.cursor)


class AcceptedTask(BaseModel):
    """What was accepted, and where to look how it goes."""

    task_id: str
    doc_id: str | None
    status_url: str

    @classmethod
    def of(cls, task: Task) -> "AcceptedTask":
        """Answer for one accepted task."""
        return cls(task_id=task.id, doc_id=task.doc_id, status_url=f"/tasks/{task.id}")


def utc_time(milliseconds: int) -> datetime:
    """Turn Unix milliseconds into a time in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _time_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else utc_time(milliseconds)


def _edit_of(task: Task) -> EditView | None:
    if task.edit is None:
        return None
    return EditView(operation=task.edit.operation, subject=task.edit.subject)


def _error_of(task: Task) -> TaskErrorView | None:
    if task.error_code is None:
        return None
    return TaskErrorView(code=task.error_code, detail=task.error_detail or "")
