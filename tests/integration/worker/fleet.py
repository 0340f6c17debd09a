"""A worker tier in this process: the real stages over shipped stores, with obedient models."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightrag import LightRAG

from shared.contract.names import TaskName
from shared.contract.payloads import Clean, CommitWorkspace, Payload, PrepareDocument, Sweep
from shared.contract.sender import MemorySender
from shared.ids import DocumentId, ObjectKey, TaskId, WorkspaceName
from shared.ledger.records import NewUpload, Task, TaskState
from shared.objects.memory import MemoryObjectStore
from tests.models import CountingModel, HashEmbeddings
from worker.context import WorkerContext
from worker.handlers import handle
from worker.parsing import ParsedDocument

if TYPE_CHECKING:
    from shared.errors import AppError

SMALL = "Neil Armstrong commanded Apollo 11. NASA launched Apollo 11 from Florida. "
LARGE = "".join(
    f"Albert Einstein met Niels Bohr in Room {number}. Niels Bohr worked in Copenhagen. "
    for number in range(40)
)
POLL_S = 0.02


class PlainParser:
    """Reads text files as they are; may fail or keep its caller waiting."""

    def __init__(self) -> None:
        self.error: AppError | None = None
        self.places = asyncio.Semaphore(2)
        self.open = asyncio.Event()
        self.open.set()
        self.called = asyncio.Event()

    async def parse(self, path: Path, *, file_name: str) -> ParsedDocument:
        self.called.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return ParsedDocument(text=await asyncio.to_thread(path.read_text), format="txt")


@dataclass
class Fleet:
    """What a test does with the worker tier."""

    context: WorkerContext
    workspace: WorkspaceName
    sender: MemorySender
    objects: MemoryObjectStore
    model: CountingModel
    embeddings: HashEmbeddings
    parser: PlainParser
    handled: list[Payload] = field(default_factory=list)
    threads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    def another_worker(self) -> "Fleet":
        """The same stores seen from another process."""
        return replace(self, context=replace(self.context, holder="another worker"), handled=[])

    async def upload(
        self, doc_id: str = "doc", text: str = SMALL, *, file_name: str | None = None
    ) -> Task:
        """Do what the API does with an upload, message included."""
        key = ObjectKey(f"uploads/{self.workspace}/{doc_id}/{hash(text)}")
        stored = await self.objects.put(key, one_chunk(text.encode()))
        accepted = await self.context.ledger.documents.accept(
            NewUpload(
                workspace=self.workspace,
                doc_id=DocumentId(doc_id),
                object_key=key,
                file_name=f"{doc_id}.txt" if file_name is None else file_name,
                content_type="text/plain",
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                idempotency_key=None,
                request_id="request",
            )
        )
        if self.sender.available:
            await self.sender.send(PrepareDocument(task_id=accepted.task.id))
            await self.context.ledger.tasks.mark_sent(accepted.task.id)
        return accepted.task

    async def handle(self, message: Payload) -> None:
        """Answer one message the way a worker process does."""
        self.handled.append(message)
        await handle(message.name, message.model_dump(mode="json"), self.context)

    async def _handle_in_turn(self, message: Payload) -> None:
        async with self.threads:
            await self.handle(message)

    async def deliver(self, *, only: TaskName | None = None) -> int:
        """Answer what was sent, and what that sends, until nothing is left; count it."""
        count = 0
        while waiting := [m for m in self.sender.sent if only is None or m.name is only]:
            for message in waiting:
                self.sender.sent.remove(message)
            await asyncio.gather(*(self._handle_in_turn(message) for message in waiting))
            count += len(waiting)
        return count

    def lose_messages(self) -> list[Payload]:
        """Forget what was sent, as a broker without a disk does."""
        lost = list(self.sender.sent)
        self.sender.sent.clear()
        return lost

    async def sweep(self) -> None:
        await self.handle(Sweep())

    async def clean(self) -> None:
        await self.handle(Clean())

    async def commit(self) -> None:
        await self.handle(CommitWorkspace(workspace=self.workspace))

    async def let_time_pass(self) -> None:
        """Bring the moment at which everything that waits is due, and messages count as lost."""
        async with self.context.ledger.database.writing() as connection:
            for table in ("tasks", "batches"):
                await connection.exec_driver_sql(
                    f"UPDATE {table} SET next_attempt_at_ms = NULL, message_sent_at_ms = 0"  # noqa: S608 - a constant
                )

    async def let_leases_expire(self) -> None:
        """Let every holder of a lease look dead."""
        async with self.context.ledger.database.writing() as connection:
            for table in ("tasks", "batches", "commit_leases"):
                await connection.exec_driver_sql(
                    f"UPDATE {table} SET lease_until_ms = 1 WHERE lease_until_ms IS NOT NULL"  # noqa: S608 - a constant
                )

    async def run_until_quiet(self, *, rounds: int = 30) -> None:
        """Deliver, sweep and let time pass until nothing moves any more."""
        for _ in range(rounds):
            await self.let_time_pass()
            await self.sweep()
            if not self.sender.sent:
                return
            await self.deliver()
        raise AssertionError(self.sender.sent)

    async def task(self, task: Task | TaskId) -> Task:
        return await self.context.ledger.tasks.get(task.id if isinstance(task, Task) else task)

    async def state(self, task: Task) -> TaskState:
        return (await self.task(task)).state

    async def until(self, condition: Callable[[Task], bool], task: Task) -> Task:
        """Wait for what another task of this loop brings about."""
        async with asyncio.timeout(60):
            while not condition(now := await self.task(task)):  # noqa: ASYNC110 - rows fire no events
                await asyncio.sleep(POLL_S)
        return now

    async def stored(self) -> dict[str, Any]:
        """Everything a document may leave in LightRAG's stores, extraction cache apart."""
        workspace = await self.context.ledger.workspaces.get(self.workspace)
        async with self.context.rags.use(workspace.physical) as rag:
            return await _stored(rag)


async def _stored(rag: LightRAG) -> dict[str, Any]:
    graph = rag.chunk_entity_relation_graph
    nodes = await graph.get_all_nodes()
    edges = await graph.get_all_edges()
    vectors = {
        store.namespace: sorted(
            row["__id__"] for row in (await store._get_client())._NanoVectorDB__storage["data"]
        )
        for store in (rag.entities_vdb, rag.relationships_vdb, rag.chunks_vdb)
    }
    rows = {
        store.namespace: sorted(store._data)
        for store in (rag.full_docs, rag.text_chunks, rag.entity_chunks, rag.relation_chunks,
                      rag.full_entities, rag.full_relations, rag.doc_status)
    }  # fmt: skip
    return {
        "nodes": {node["id"]: without_times(node) for node in nodes},
        "edges": {
            tuple(sorted((edge["source"], edge["target"]))): without_times(edge) for edge in edges
        },
        "vectors": vectors,
        "rows": rows,
    }


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "created_at"}


async def one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content
