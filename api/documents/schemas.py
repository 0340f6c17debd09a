"""Documents as the API shows them."""

from datetime import datetime

from pydantic import BaseModel

from api.tasks.schemas import utc_time
from shared.ledger.records import Document, Page, TaskKind, TaskState


class DocumentView(BaseModel):
    """One document; `state` is its latest task's, questions find what a revision committed."""

    doc_id: str
    workspace: str
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    chunks: int | None
    latest_revision: int
    committed_revision: int
    state: TaskState
    kind: TaskKind
    task_id: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, document: Document) -> "DocumentView":
        """Show one row of the ledger."""
        return cls(
            doc_id=document.doc_id,
            workspace=document.workspace,
            file_name=document.file_name,
            content_type=document.content_type,
            size_bytes=document.size_bytes,
            sha256=document.sha256,
            chunks=document.chunks,
            latest_revision=document.latest_revision,
            committed_revision=document.committed_revision,
            state=document.latest_task_state,
            kind=document.latest_task_kind,
            task_id=document.latest_task_id,
            created_at=utc_time(document.created_at_ms),
            updated_at=utc_time(document.updated_at_ms),
        )


class DocumentPage(BaseModel):
    """Some documents; `cursor` continues after them, null means that was all."""

    documents: list[DocumentView]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[Document]) -> "DocumentPage":
        """Show one page of the ledger."""
        return cls(documents=[DocumentView.of(row) for row in page.rows], cursor=page.cursor)
