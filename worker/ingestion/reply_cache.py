"""LightRAG's cache of model replies, asked and written as rarely as one extraction needs."""

import asyncio
from contextvars import ContextVar
from typing import Any

from lightrag.base import BaseKVStorage

# Each chunk is a task of its own, so this is what one chunk found.
_is_new: ContextVar[bool] = ContextVar("is_new", default=False)


class ReplyCache:
    """Stands before the cache's storage during one `extract_entities`.

    LightRAG asks twice for every reply it has not got, and writes each at once with the whole
    prompt, which is the document again. Here a chunk is asked for until its first miss, its rows
    are written together by `flush`, and prompts, which nothing reads, are left out.
    """

    def __init__(self, storage: BaseKVStorage) -> None:
        self._storage = storage
        self._unwritten: dict[str, dict[str, Any]] = {}
        self._writing = asyncio.Lock()
        self.global_config = storage.global_config

    async def get_by_id(self, key: str) -> dict[str, Any] | None:
        """Find a reply, unless the chunk's first one was new: a later key contains the first."""
        if _is_new.get():
            return None
        row: dict[str, Any] | None = await self._storage.get_by_id(key)
        if row is None:
            _is_new.set(True)
        return row

    async def upsert(self, rows: dict[str, dict[str, Any]]) -> None:
        """Take rows to be written."""
        for key, row in rows.items():
            self._unwritten[key] = {**row, "original_prompt": ""}

    async def flush(self) -> None:
        """Write what was taken; chunks that end at the same time share one write."""
        async with self._writing:
            rows, self._unwritten = self._unwritten, {}
            if not rows:
                return
            try:
                await self._storage.upsert(rows)
            except BaseException:
                self._unwritten = rows | self._unwritten
                raise
