"""Vectors of what a group changed: embedded while it is merged, all there before its journal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Embed = Callable[..., Awaitable[NDArray[np.float32]]]


class Embedder:
    """Embeds every content once, in batches that start as soon as they are full.

    LightRAG writes a record several times while it merges; mostly only its sources change, not the
    content that is embedded.
    """

    def __init__(self, embed: Embed, *, batch_size: int) -> None:
        self._embed = embed
        self._batch_size = max(1, batch_size)
        self._batch: list[str] = []
        self._started: dict[str, asyncio.Task[list[bytes]]] = {}
        self._places: dict[str, int] = {}

    def want(self, content: str) -> None:
        """Make sure that this content is embedded at the end."""
        if content in self._places:
            return
        self._places[content] = len(self._batch)
        self._batch.append(content)
        if len(self._batch) == self._batch_size:
            self._start()

    async def finish(self) -> None:
        """Wait until every wanted content has its vector.

        Raises:
            ModelUnavailableError, ModelRefusedError: the embedding model failed.
        """
        self._start()
        await asyncio.gather(*set(self._started.values()))

    def vector(self, content: str) -> bytes:
        """Return the vector of a wanted content after `finish`: little-endian float32."""
        return self._started[content].result()[self._places[content]]

    def _start(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            task = asyncio.create_task(self._embed_batch(batch))
            # Looked at, or asyncio would log what failed in a group that is thrown away anyway.
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            self._started |= dict.fromkeys(batch, task)

    async def _embed_batch(self, batch: list[str]) -> list[bytes]:
        return as_bytes(await self._embed(batch, context="document"))


def as_bytes(rows: NDArray[np.float32] | Sequence[Sequence[float]]) -> list[bytes]:
    """Return each row of an array of shape (texts, dimension) as little-endian float32."""
    array = np.ascontiguousarray(rows, dtype="<f4")
    return [row.tobytes() for row in array]
