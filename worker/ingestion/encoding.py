"""How chunks and extraction results are kept in the ledger: compressed JSON, and plain vectors."""

import zlib
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic_core import from_json, to_json

Chunks = dict[str, dict[str, Any]]
"""LightRAG's chunk rows by chunk id, in reading order."""
Nodes = dict[str, list[dict[str, Any]]]
Edges = dict[tuple[str, str], list[dict[str, Any]]]

# Level 6 takes three times as long for another sixth.
_COMPRESSION_LEVEL = 1
# Before the vectors stands how long the JSON is.
_LENGTH_BYTES = 4


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
    vector: bytes = b""
    """The embedding of the chunk's content: little-endian float32."""


def encode_batch(batch: ChunkBatch) -> bytes:
    """Compress one batch of chunks."""
    return _pack({"chunks": batch.chunks, "text": batch.text})


def decode_batch(encoded: bytes) -> ChunkBatch:
    """Read one batch of chunks back."""
    decoded = cast("dict[str, Any]", _unpack(encoded))
    return ChunkBatch(chunks=decoded["chunks"], text=decoded["text"])


def encode_extractions(extractions: list[Extraction]) -> bytes:
    """Compress the results of one batch, in the order of its chunks; all vectors are as long."""
    rows = [
        # JSON has no tuples as keys.
        [
            extraction.nodes,
            [[*pair, rows] for pair, rows in extraction.edges.items()],
            extraction.cache_keys,
        ]
        for extraction in extractions
    ]
    packed = _pack(rows)
    # Vectors are noise to a compressor, and a third longer as text.
    vectors = b"".join(extraction.vector for extraction in extractions)
    return len(packed).to_bytes(_LENGTH_BYTES) + packed + vectors


def decode_extractions(encoded: bytes) -> list[Extraction]:
    """Read the results of one batch back."""
    vectors_at = _LENGTH_BYTES + int.from_bytes(encoded[:_LENGTH_BYTES])
    rows = cast("list[Any]", _unpack(encoded[_LENGTH_BYTES:vectors_at]))
    size = (len(encoded) - vectors_at) // len(rows) if rows else 0
    return [
        Extraction(
            nodes=nodes,
            edges={(source, target): found for source, target, found in edges},
            cache_keys=cache_keys,
            vector=encoded[vectors_at + size * index : vectors_at + size * (index + 1)],
        )
        for index, (nodes, edges, cache_keys) in enumerate(rows)
    ]


def _pack(value: object) -> bytes:
    return zlib.compress(to_json(value), _COMPRESSION_LEVEL)


def _unpack(packed: bytes) -> object:
    return from_json(zlib.decompress(packed))
