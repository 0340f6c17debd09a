"""LightRAG's file storages: in memory until a journal is whole, then written down together.

One process works on the files (it holds a lock on them), so the ledger's lease is all the fence
that there is to look at.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from lightrag import LightRAG

from worker.commit.apply.storages import carry_out
from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation

IsHeld = Callable[[], Awaitable[bool]]


class FilesStore:
    """All storages of one workspace."""

    name = "files"

    def __init__(self, rag: LightRAG, is_held: IsHeld) -> None:
        self._rag = rag
        self._is_held = is_held
        self._marker = Path(rag.working_dir) / rag.workspace / "applied_journal"

    async def raise_fence(self) -> None:
        """Nothing to do: the lease is looked at before every write."""

    async def applied_seq(self) -> int:
        """Return the number of the last journal that is here whole."""
        try:
            return int(await asyncio.to_thread(self._marker.read_text))
        except FileNotFoundError:
            return 0

    async def apply(self, operation: Operation) -> None:
        """Carry one operation out in memory."""
        if not await self._is_held():
            raise FencedOffError
        storage = getattr(self._rag, operation.storage)
        match operation.kind:
            case Kind.PUT_VECTORS:
                await _put_vectors(storage, operation)
            case Kind.REMOVE_ROWS | Kind.REMOVE_STATUS | Kind.REMOVE_VECTORS:
                await storage.delete(operation.rows)
            case _:
                await carry_out(operation, storage)

    def filling(self) -> AbstractAsyncContextManager[None]:
        """Nothing to do: all that is here is written at once."""
        return nullcontext()

    def begin_sync(self) -> None:
        """Nothing to do: all is written down at the end."""

    async def finish(self, seq: int) -> None:
        """Write all storages down, and then the journal's number."""
        if not await self._is_held():
            raise FencedOffError
        await self._rag._insert_done()  # noqa: SLF001 - pinned internals
        await asyncio.to_thread(self._mark, seq)

    def _mark(self, seq: int) -> None:
        unfinished = self._marker.with_suffix(".new")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w") as file:
            file.write(str(seq))
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave an empty one
        unfinished.replace(self._marker)


async def _put_vectors(storage: Any, operation: Operation) -> None:  # noqa: ANN401 - NanoVectorDBStorage
    """Hand rows over together with their vectors: LightRAG embeds only what has none."""
    await storage.upsert(dict(operation.rows))
    for (key, _), vector in zip(operation.rows, operation.vectors, strict=True):
        pending = storage._pending_upserts[key]  # noqa: SLF001 - pinned internals
        pending.vector = np.frombuffer(vector, dtype="<f4")
