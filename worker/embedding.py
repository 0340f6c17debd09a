"""Keeps a workspace from being filled with vectors of two embedding models."""

from shared.errors import EmbeddingMismatchError
from shared.ids import WorkspaceName
from shared.rag.models import embedding_name
from worker.context import WorkerContext


async def require_same_embedding(name: WorkspaceName, context: WorkerContext) -> None:
    """Check it before the workspace's stores are opened: they could not read their own vectors.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another model or dimension.
        WorkspaceNotFoundError: it is being deleted.
    """
    workspace = await context.ledger.workspaces.get(name)
    filled_with = (workspace.embedding_model, workspace.embedding_dim)
    ours = (embedding_name(context.settings), context.settings.embedding.dim)
    if workspace.embedding_model is not None and filled_with != ours:
        raise EmbeddingMismatchError


async def remember_embedding(name: WorkspaceName, context: WorkerContext) -> None:
    """Tie the workspace to our embedding model before the first vector is written.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another model or dimension.
        WorkspaceNotFoundError: there is no such workspace.
    """
    await context.ledger.workspaces.remember_embedding(
        name, model=embedding_name(context.settings), dim=context.settings.embedding.dim
    )
