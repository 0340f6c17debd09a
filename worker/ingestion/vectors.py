"""Vectors of chunks, as LightRAG's vector storage of chunks would have them made."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from lightrag import LightRAG
from numpy.typing import NDArray

Embed = Callable[..., Awaitable[NDArray[np.float32]]]


async def embed_chunks(
    rag: LightRAG,
    chunks: dict[str, dict[str, Any]],
    *,
    embed: Embed,
    on_embedded: Callable[[int], Awaitable[None]],
) -> list[bytes]:
    """Return each chunk's vector as little-endian float32; `on_embedded` is told how many more.

    Raises:
        ModelUnavailableError: the embedding endpoint did not answer.
    """
    contents = [chunk["content"] for chunk in chunks.values()]
    size = rag.embedding_batch_num

    async def embed_some(start: int) -> NDArray[np.float32]:
        some = contents[start : start + size]
        vectors = await embed(some, context="document")
        await on_embedded(len(some))
        return vectors

    parts = await asyncio.gather(*map(embed_some, range(0, len(contents), size)))
    return [vector.tobytes() for vector in np.concatenate(parts).astype("<f4", copy=False)]
