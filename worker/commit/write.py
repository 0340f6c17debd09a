"""What one task does to LightRAG's stores: an insert, a deletion, the removal of all."""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lightrag import LightRAG

from shared.ids import DocumentId, PhysicalWorkspace
from shared.ledger.records import CommitLease, Task, TaskKind
from shared.logs import get_logger
from shared.rag.store_errors import translated_store_errors
from worker.commit.delete import delete_document, drop_workspace
from worker.commit.insert import commit_document
from worker.commit.prepared import load_prepared
from worker.context import WorkerContext
from worker.crew import gathered_crew
from worker.embedding import remember_embedding
from worker.leased import LeaseLostError

_log = get_logger(__name__)

_STORAGES = (
    "full_docs",
    "text_chunks",
    "llm_response_cache",
    "full_entities",
    "full_relations",
    "entity_chunks",
    "relation_chunks",
    "entities_vdb",
    "relationships_vdb",
    "chunks_vdb",
    "chunk_entity_relation_graph",
    "doc_status",
)


async def write(task: Task, lease: CommitLease, context: WorkerContext) -> None:
    """Do what the task asks for, and then say so in the ledger.

    Raises:
        LeaseLostError: somebody else writes this workspace now.
    """
    match task.kind:
        case TaskKind.INSERT:
            done = await _insert(task, lease, context)
        case TaskKind.DELETE:
            done = await _delete(task, lease, context)
        case TaskKind.DROP_WORKSPACE:
            done = await _drop(task, lease, context)
    if not done:
        raise LeaseLostError


async def undo(task: Task, context: WorkerContext) -> None:
    """Take out what a document that is given up may have left: nothing stays half-written."""
    if task.kind is not TaskKind.INSERT:
        return
    try:
        async with _writable(task.physical, context) as rag:
            await delete_document(rag, _doc_id(task))
    except Exception:  # noqa: BLE001 - the edge: the failure is logged, the task fails anyway
        # Deleting the document, or trying it again, removes the rest.
        _log.exception("undo_incomplete", task_id=task.id)


async def _insert(task: Task, lease: CommitLease, context: WorkerContext) -> bool:
    await remember_embedding(task.workspace, context)
    document = await load_prepared(task, context)
    async with _writable(task.physical, context) as rag:
        await commit_document(rag, document)
    return await context.ledger.tasks.finish_commit(lease, task.id, chunks=len(document.chunks))


async def _delete(task: Task, lease: CommitLease, context: WorkerContext) -> bool:
    # Entities that others share are embedded anew.
    await remember_embedding(task.workspace, context)
    async with _writable(task.physical, context) as rag:
        await delete_document(rag, _doc_id(task))
    return await context.ledger.tasks.finish_commit(lease, task.id, chunks=None)


async def _drop(task: Task, lease: CommitLease, context: WorkerContext) -> bool:
    filled_with = await context.ledger.workspaces.embedding_of(task.workspace)
    if filled_with is not None:
        model, dimension = filled_with
        async with context.rags.opened_with(
            task.physical, embedding_name=model, embedding_dim=dimension
        ) as rag:
            await drop_workspace(rag)
    return await context.ledger.workspaces.finish_drop(lease, task.id)


@asynccontextmanager
async def _writable(name: PhysicalWorkspace, context: WorkerContext) -> AsyncIterator[LightRAG]:
    """Give a LightRAG none of whose tasks writes any more when the `async with` block ends."""
    with translated_store_errors():
        async with context.rags.use(name) as rag, gathered_crew() as crew:
            watched = copy.copy(rag)
            for storage in _STORAGES:
                setattr(watched, storage, crew.watch_storage(getattr(rag, storage)))
            yield watched


def _doc_id(task: Task) -> DocumentId:
    assert task.doc_id is not None  # noqa: S101 - inserts and deletes are about a document
    return task.doc_id
