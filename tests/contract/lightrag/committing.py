"""A commit without a ledger: unit of work, journal and apply over the stores of a LightRAG."""

from collections.abc import Sequence
from typing import Any

from lightrag import LightRAG

from shared.ids import DocumentId, TaskId
from tests.models import DIM
from worker.commit.apply.files import FilesStore
from worker.commit.encoding import decode, encode
from worker.commit.merge import add_documents
from worker.commit.operations import Operation, operations_of
from worker.commit.prepared import PreparedDocument, Slice
from worker.commit.purge import remove_documents
from worker.commit.summaries import summaries_only
from worker.commit.unit_of_work.unit import open_unit_of_work
from worker.ingestion.chunking import cut_into_chunks, sanitized
from worker.ingestion.extraction import extract_chunks

APOLLO = (
    "Neil Armstrong commanded Apollo 11. Buzz Aldrin flew the lunar module Eagle with "
    "Neil Armstrong. Michael Collins stayed in Columbia. NASA launched Apollo 11 from Florida. "
) * 12
EINSTEIN = (
    "Albert Einstein was born in Ulm. Albert Einstein worked at the Patent Office in Bern. "
    "NASA tested the theory of Albert Einstein with Gravity Probe B. "
) * 12


async def prepare(rag: LightRAG, doc_id: str, text: str, *, task: str = "1") -> Slice:
    clean = sanitized(text)
    name = f"{doc_id}.txt"
    chunks = cut_into_chunks(rag, clean, doc_id=DocumentId(doc_id), file_name=name)
    extractions = await extract_chunks(rag, chunks)
    document = PreparedDocument(
        TaskId(f"task-{task}"), DocumentId(doc_id), name, clean, chunks, extractions
    )
    return Slice(document, 0, len(chunks))


async def merged(rag: LightRAG, *pieces: Slice, gone: Sequence[str] = ()) -> list[Operation]:
    """What a group of inserts and deletes leaves behind, after its way through the journal."""
    replaced = [piece.document.doc_id for piece in pieces if piece.is_first]
    async with open_unit_of_work(rag, summaries_only) as unit:
        await remove_documents(unit, [*replaced, *map(DocumentId, gone)])
        await add_documents(unit, pieces)
        changes = await unit.changes()
    parts = encode(operations_of(changes, written_at_s=1), dimension=DIM)
    return [operation for part in parts for operation in decode(part)]


async def apply(rag: LightRAG, operations: Sequence[Operation]) -> None:
    store = FilesStore(rag, _held)
    for operation in operations:
        await store.apply(operation)
    await store.finish(1)


async def commit(rag: LightRAG, *pieces: Slice, gone: Sequence[str] = ()) -> None:
    await apply(rag, await merged(rag, *pieces, gone=gone))


async def put(rag: LightRAG, doc_id: str, text: str, *, task: str = "1") -> Slice:
    piece = await prepare(rag, doc_id, text, task=task)
    await commit(rag, piece)
    return piece


async def graph(rag: LightRAG) -> dict[str, Any]:
    nodes = {node["id"]: node for node in await rag.chunk_entity_relation_graph.get_all_nodes()}
    edges = await rag.chunk_entity_relation_graph.get_all_edges()
    pairs = {tuple(sorted((edge["source"], edge["target"]))): edge for edge in edges}
    for (one, two), edge in pairs.items():  # a relation has no direction
        edge["source"], edge["target"] = one, two
    return {"nodes": without_times(nodes), "edges": without_times(pairs)}


def without_times(rows: Any) -> Any:
    volatile = {"created_at", "updated_at", "create_time", "update_time", "timestamp", "track_id"}
    if isinstance(rows, dict):
        return {k: without_times(v) for k, v in rows.items() if k not in volatile}
    if isinstance(rows, list):
        return [without_times(row) for row in rows]
    return rows


async def _held() -> bool:
    return True
