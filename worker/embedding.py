"""Keeps a workspace from being filled with vectors of two embedding models."""

from shared.ids import WorkspaceName
from shared.rag import models
from worker.context import WorkerContext


async def require_same_embedding(name: WorkspaceName, context: WorkerContext) -> None:
    """Look up what a workspace was filled with; see `shared.rag.models`.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another model or dimension.
        WorkspaceNotFoundError: it is being deleted.
    """
    workspace = await context.ledger.workspaces.get(name)
    models.require_same_embedding(workspace, context.settings)


async def remember_embedding(name: WorkspaceName, context: WorkerContext) -> None:
    """Tie the workspace to our embedding model before the first vector is written.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another model or dimension.
        WorkspaceNotFoundError: there is no such workspace.
    """
    await context.ledger.workspaces.remember_embedding(
        name, model=models.embedding_name(context.settings), dim=context.settings.embedding.dim
    )
