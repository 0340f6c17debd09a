"""Keeps a workspace from being filled with vectors of two embedding models."""

from shared.ids import WorkspaceName
from shared.ledger.records import Task
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


async def tie_to_embedding(task: Task, context: WorkerContext) -> None:
    """Tie a task's workspace to our embedding model, now that chunks have vectors of it.

    They are kept until the commit, which may be another process with other settings by then.

    Raises:
        EmbeddingMismatchError: the workspace has vectors of another model or dimension.
        WorkspaceNotFoundError: it is being deleted.
    """
    workspace = await context.ledger.workspaces.get(task.workspace)
    if workspace.embedding_model is None:
        await remember_embedding(task.workspace, context)
    else:
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
