"""The rows LightRAG's own pipeline writes beside the graph: documents, status, chunks."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lightrag import LightRAG
from lightrag.base import DocStatus
from lightrag.constants import KG_WRITE_STATE_METADATA_KEY, KG_WRITE_STATE_PRE_GRAPH
from lightrag.utils import get_content_summary
from lightrag.utils_pipeline import compute_text_content_hash

from shared.ids import DocumentId, TaskId
from worker.ingestion.encoding import Chunks, Extraction


@dataclass(frozen=True)
class PreparedDocument:
    """Everything the commit of one insert needs."""

    task_id: TaskId
    doc_id: DocumentId
    file_name: str
    text: str
    chunks: Chunks
    extractions: list[Extraction]
    """One for each chunk, in the same order."""


def full_document(document: PreparedDocument) -> dict[str, Any]:
    """Make the row of `full_docs`."""
    return {
        "content": document.text,
        "file_path": document.file_name,
        "parse_format": "raw",
        "content_hash": compute_text_content_hash(document.text),
    }


def chunk_rows(document: PreparedDocument, cache_keys: dict[str, list[str]]) -> Chunks:
    """Make the rows of `text_chunks`, each with the keys of its own cached replies."""
    return {
        chunk_id: {**row, "llm_cache_list": cache_keys[chunk_id]}
        for chunk_id, row in document.chunks.items()
    }


def status_row(
    document: PreparedDocument, status: DocStatus, metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Make the row of `doc_status`; deletion depends on its chunk list and write state."""
    now = datetime.now(UTC).isoformat()
    return {
        "status": status,
        "content_summary": get_content_summary(document.text),
        "content_length": len(document.text),
        "content_hash": compute_text_content_hash(document.text),
        "chunks_count": len(document.chunks),
        "chunks_list": list(document.chunks),
        "created_at": now,
        "updated_at": now,
        "file_path": document.file_name,
        # The task that wrote it: a commit that is repeated after a crash recognises its own work.
        "track_id": document.task_id,
        "metadata": metadata or {KG_WRITE_STATE_METADATA_KEY: KG_WRITE_STATE_PRE_GRAPH},
    }


async def private_cache_keys(rag: LightRAG, document: PreparedDocument) -> dict[str, list[str]]:
    """Give every chunk cached replies of its own, and return their keys by chunk id.

    A passage that two documents share has one cache row, which names the first one's chunk.
    LightRAG rebuilds a shared entity only from rows that name the chunk at hand, so without a
    row of its own the second document would lose its descriptions when the first is deleted.
    """
    keys = [key for extraction in document.extractions for key in extraction.cache_keys]
    rows = dict(zip(keys, await rag.llm_response_cache.get_by_ids(keys), strict=True))
    own_keys: dict[str, list[str]] = {}
    copies: dict[str, dict[str, Any]] = {}
    for chunk_id, extraction in zip(document.chunks, document.extractions, strict=True):
        own_keys[chunk_id] = []
        for key in extraction.cache_keys:
            row = rows[key]
            if row is None or row.get("chunk_id") == chunk_id:
                own_keys[chunk_id].append(key)
                continue
            own_key = f"{key}:{chunk_id}"
            # The prompt is the long part, and nothing reads it.
            copies[own_key] = {**row, "chunk_id": chunk_id, "original_prompt": ""}
            own_keys[chunk_id].append(own_key)
    if copies:
        await rag.llm_response_cache.upsert(copies)
    return own_keys
