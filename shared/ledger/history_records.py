"""What a ledger says of a workspace, as values that another ledger can take in."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.ledger.records import TaskKind, TaskState

# What a person made up has to be refused before a database is asked to store it.
_Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
_Id = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Big = Annotated[int, Field(ge=0, lt=2**63)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentRecord(_Record):
    """A row of `documents`, without the workspace that it is in."""

    doc_id: Annotated[str, Field(pattern=r"^\w[\w.:@+\-]{0,127}$")]
    latest_revision: _Count
    committed_revision: _Count
    deleted: bool
    latest_task_id: _Id | None
    committed_task_id: _Id | None
    file_name: _Text
    content_type: _Text
    size_bytes: _Big
    sha256: _Text
    chunks: _Count | None
    created_at_ms: _Big
    updated_at_ms: _Big


class TaskRecord(_Record):
    """A row of `tasks`; one that has not ended is as it was when it was accepted."""

    id: _Id
    kind: TaskKind
    revision: _Count
    state: TaskState
    attempt: _Count
    chunks_total: _Count | None
    chunks_done: _Count
    object_key: _Text | None
    """Where the uploaded bytes are; None: they are of no use any more."""
    file_name: _Text
    content_type: _Text
    size_bytes: _Big
    sha256: _Text
    error_code: _Text | None
    error_detail: _Text | None
    request_id: _Text | None
    payload: dict[str, Any] | None
    created_at_ms: _Big
    updated_at_ms: _Big
    started_at_ms: _Big | None
    finished_at_ms: _Big | None


class HistoryEntry(_Record):
    """One document with its tasks, or (without a document) one edit of the graph."""

    document: DocumentRecord | None
    tasks: list[TaskRecord]

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if self.document is None and len(self.tasks) != 1:
            raise ValueError
        return self

    @property
    def name(self) -> str:
        """What tells it from others of its workspace."""
        return self.document.doc_id if self.document else self.tasks[0].id
