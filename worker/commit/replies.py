"""Model replies that belong to one chunk alone, so that no deletion takes another's knowledge.

LightRAG caches a reply under its prompt, and the row names the first chunk that had this text. It
rebuilds a shared entity only from rows that name the chunk at hand (docs/adr/0002).
"""

from collections.abc import Sequence
from typing import Any

from worker.commit.prepared import Slice
from worker.commit.unit_of_work.rows import RowsUnit


async def add_private_replies(
    cache: RowsUnit, pieces: Sequence[Slice]
) -> dict[str, dict[str, list[str]]]:
    """Give every chunk reply rows of its own.

    Returns:
        By document and chunk id: the keys of the chunk's own rows.
    """
    await cache.prefetch(
        key for piece in pieces for found in piece.extractions for key in found.cache_keys
    )
    return {piece.document.doc_id: await _of_document(cache, piece) for piece in pieces}


async def _of_document(cache: RowsUnit, piece: Slice) -> dict[str, list[str]]:
    own_keys: dict[str, list[str]] = {}
    rows: dict[str, dict[str, Any]] = {}
    for chunk_id, found in zip(piece.chunks, piece.extractions, strict=True):
        own_keys[chunk_id] = []
        for key in found.cache_keys:
            row = await cache.get_by_id(key)
            if row is None:
                continue  # the cache lost it: a later rebuild has one reply less
            own_key = private_key(key, chunk_id)
            # The prompt is the long part, and nothing reads it.
            rows[own_key] = {**row, "chunk_id": chunk_id, "original_prompt": ""}
            own_keys[chunk_id].append(own_key)
    if rows:
        await cache.upsert(rows)
    return own_keys


def private_key(key: str, chunk_id: str) -> str:
    """Return the key of one chunk's own copy of a cached reply."""
    return f"{key}:{chunk_id}"


def is_private(key: str, chunk_id: str) -> bool:
    """Tell whether a key is that of a chunk's own copy, which goes with the chunk."""
    return key.endswith(f":{chunk_id}")
