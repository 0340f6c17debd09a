"""Vectors of what a group changed, before its journal: no outage may stop it half-applied."""

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.commit.unit_of_work.unit import UnitOfWork
from worker.crew import gathered_crew

Vectors = dict[str, dict[str, bytes]]


async def embed_changes(unit: UnitOfWork) -> Vectors:
    """Embed the content of every changed row once, in batches over all storages.

    Returns:
        Vectors by storage and id: little-endian float32.

    Raises:
        ModelUnavailableError, ModelRefusedError: the embedding model failed.
    """
    vectors: Vectors = {name: dict(storage.ready) for name, storage in unit.vectors.items()}
    wanted = [
        (name, key, row["content"])
        for name, storage in unit.vectors.items()
        for key, row in storage.puts.items()
        if key not in storage.ready
    ]
    size = max(1, unit.rag.embedding_batch_num)
    batches = [wanted[start : start + size] for start in range(0, len(wanted), size)]
    async with gathered_crew() as crew:
        embed = crew.watch(unit.rag.embedding_func)
        embedded = await asyncio.gather(
            *(embed([content for *_, content in batch], context="document") for batch in batches)
        )
    for batch, rows in zip(batches, embedded, strict=True):
        for (name, key, _), vector in zip(batch, as_bytes(rows), strict=True):
            vectors[name][key] = vector
    return vectors


def as_bytes(rows: NDArray[np.float32] | Sequence[Sequence[float]]) -> list[bytes]:
    """Return each row of an array of shape (texts, dimension) as little-endian float32."""
    array = np.ascontiguousarray(rows, dtype="<f4")
    return [row.tobytes() for row in array]
