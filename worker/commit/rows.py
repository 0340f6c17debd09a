"""The rows LightRAG's own pipeline writes beside the graph: documents, status, anchors."""

from datetime import UTC, datetime
from typing import Any

from lightrag.base import DocStatus
from lightrag.constants import (
    KG_WRITE_STATE_GRAPH_MUTATION_STARTED,
    KG_WRITE_STATE_METADATA_KEY,
)
from lightrag.operate import collect_kg_merge_candidates
from lightrag.utils import get_content_summary
from lightrag.utils_pipeline import compute_text_content_hash

from worker.commit.prepared import PreparedDocument, Slice

Row = dict[str, Any]


def full_document(document: PreparedDocument) -> Row:
    """Make the row of `full_docs`."""
    return {
        "content": document.text,
        "file_path": document.file_name,
        "parse_format": "raw",
        "content_hash": compute_text_content_hash(document.text),
    }


def status_row(piece: Slice) -> Row:
    """Make the row of `doc_status`; deletion depends on its chunk list and write state."""
    document = piece.document
    now = datetime.now(UTC).isoformat()
    status = DocStatus.PROCESSED if piece.is_last else DocStatus.PROCESSING
    return {
        "status": status.value,
        "content_summary": get_content_summary(document.text),
        "content_length": len(document.text),
        "content_hash": compute_text_content_hash(document.text),
        "chunks_count": len(document.chunks),
        "chunks_list": list(document.chunks),
        "created_at": now,
        "updated_at": now,
        "file_path": document.file_name,
        "track_id": document.task_id,
        "metadata": {KG_WRITE_STATE_METADATA_KEY: KG_WRITE_STATE_GRAPH_MUTATION_STARTED},
    }


def anchors(document: PreparedDocument) -> tuple[Row, Row]:
    """Make the rows of `full_entities` and `full_relations`: all that a deletion looks at."""
    entities, relations = collect_kg_merge_candidates(
        [(found.nodes, found.edges) for found in document.extractions]
    )
    return (
        {"entity_names": sorted(entities), "count": len(entities)},
        {"relation_pairs": [list(pair) for pair in sorted(relations)], "count": len(relations)},
    )
