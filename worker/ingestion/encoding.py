"""How chunks and extraction results are kept in the ledger: compressed JSON."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any, cast

Chunks = dict[str, dict[str, Any]]
"""LightRAG's chunk rows by chunk id, in reading order."""
Nodes = dict[str, list[dict[str, Any]]]
Edges = dict[tuple[str, str], list[dict[str, Any]]]

# Level 6 is slower than the ledger's disk; level 1 already halves text twice.
_COMPRESSION_LEVEL = 1


@dataclass(frozen=True)
class ChunkBatch:
    """Some consecutive chunks; the first batch of a document also carries its whole text."""

    chunks: Chunks
    text: str | None = None


@dataclass(frozen=True)
class Extraction:
    """What was found in one chunk, as LightRAG's merge wants it."""

    nodes: Nodes = field(default_factory=dict)
    edges: Edges = field(default_factory=dict)
    cache_keys: list[str] = field(default_factory=list)
    """Keys of the model replies; a later deletion rebuilds shared entities from them."""


def encode_batch(batch: ChunkBatch) -> bytes:
    """Compress one batch of chunks."""
    return _encode({"chunks": batch.chunks, "text": batch.text})


def decode_batch(encoded: bytes) -> ChunkBatch:
    """Read one batch of chunks back."""
    decoded = cast("dict[str, Any]", _decode(encoded))
    return ChunkBatch(chunks=decoded["chunks"], text=decoded["text"])


def encode_extractions(extractions: list[Extraction]) -> bytes:
    """Compress the results of one batch, in the order of its chunks."""
    return _encode(
        [
            {
                "nodes": extraction.nodes,
                # JSON has no tuples as keys.
                "edges": [[*pair, rows] for pair, rows in extraction.edges.items()],
                "cache_keys": extraction.cache_keys,
            }
            for extraction in extractions
        ]
    )


def decode_extractions(encoded: bytes) -> list[Extraction]:
    """Read the results of one batch back."""
    return [
        Extraction(
            nodes=row["nodes"],
            edges={(source, target): rows for source, target, rows in row["edges"]},
            cache_keys=row["cache_keys"],
        )
        for row in cast("list[dict[str, Any]]", _decode(encoded))
    ]


def _encode(value: object) -> bytes:
    # mtime=0: equal content gives equal bytes.
    return gzip.compress(
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
        _COMPRESSION_LEVEL,
        mtime=0,
    )


def _decode(encoded: bytes) -> object:
    return json.loads(gzip.decompress(encoded))
