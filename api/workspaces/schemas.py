"""Workspaces as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from api.tasks.schemas import utc_time
from shared.ledger.records import Page, Workspace


class NewWorkspace(BaseModel):
    """What POST /workspaces takes."""

    model_config = ConfigDict(extra="forbid")
    name: str


class WorkspaceView(BaseModel):
    """One workspace; the embedding is null until its first document is committed.

    While `paused` no commit is begun; nothing changes any more once `committing` is false, too.
    """

    name: str
    documents: int
    paused: bool
    committing: bool
    embedding_model: str | None
    embedding_dim: int | None
    created_at: datetime

    @classmethod
    def of(cls, workspace: Workspace) -> "WorkspaceView":
        """Show one row of the ledger."""
        return cls(
            name=workspace.name,
            documents=workspace.documents,
            paused=workspace.paused,
            committing=workspace.committing,
            embedding_model=workspace.embedding_model,
            embedding_dim=workspace.embedding_dim,
            created_at=utc_time(workspace.created_at_ms),
        )


class WorkspacePage(BaseModel):
    """Some workspaces; `cursor` continues after them, null means that was all."""

    workspaces: list[WorkspaceView]
    cursor: str | None

    @classmethod
    def of(cls, page: Page[Workspace]) -> "WorkspacePage":
        """Show one page of the ledger."""
        return cls(workspaces=[WorkspaceView.of(row) for row in page.rows], cursor=page.cursor)
