"""Removing a whole workspace: nobody reads it any more, so it goes without a journal."""

from collections.abc import Callable

from lightrag import LightRAG

from shared.errors import UnavailableError
from shared.ledger.records import CommitLease, Task
from shared.ledger.workspaces import Workspaces
from shared.rag.store_errors import translated_store_errors
from worker.commit.apply.neo4j_emptying import empty_graph
from worker.commit.session import Session
from worker.leased import LeaseLostError


class WorkspaceNotEmptiedError(UnavailableError):
    """A store failed while the workspace was removed; the removal is tried again."""

    code = "workspace_not_emptied"


async def drop_workspace(task: Task, session: Session) -> None:
    """Remove everything that LightRAG keeps of one generation of a workspace.

    Repeating it is safe, and its name is never used again: a new workspace is the next generation.

    Raises:
        WorkspaceNotEmptiedError: a store failed.
        LeaseLostError: somebody else holds the workspace now.
    """
    workspaces = session.context.ledger.workspaces
    await empty_storages(
        session.rag, session.lease, workspaces, on_progress=session.heartbeat.progressed
    )
    if not await workspaces.finish_drop(session.lease, task.id):
        raise LeaseLostError


async def empty_storages(
    rag: LightRAG, lease: CommitLease, workspaces: Workspaces, *, on_progress: Callable[[], None]
) -> None:
    """Remove all rows, vectors, entities and relations of a workspace.

    Args:
        rag: over the workspace.
        lease: on it; looked at before each storage.
        workspaces: the ledger's.
        on_progress: called after each storage.

    Raises:
        WorkspaceNotEmptiedError: a store failed.
        LeaseLostError: somebody else holds the workspace now.
    """
    with translated_store_errors():
        for storage in rag._index_storages():  # noqa: SLF001 - pinned internals
            if not await workspaces.holds_commit_lease(lease):
                raise LeaseLostError
            if storage is rag.chunk_entity_relation_graph:
                await _empty_by_parts(rag, on_progress)
            result = await storage.drop()
            if result.get("status") != "success":
                raise WorkspaceNotEmptiedError
            on_progress()


async def _empty_by_parts(rag: LightRAG, on_progress: Callable[[], None]) -> None:
    """Do before LightRAG's own removal what that cannot: a large graph in Neo4j."""
    graph = rag.chunk_entity_relation_graph
    if type(graph).__name__ == "Neo4JStorage":
        async with graph._driver.session(database=graph._DATABASE) as session:  # noqa: SLF001 - pinned internals
            await empty_graph(session, label=rag.workspace, on_progress=on_progress)
