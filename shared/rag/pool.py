"""Open LightRAG instances of one process: one a workspace, opened once, closed when idle."""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from time import monotonic

from lightrag import LightRAG

from shared.ids import PhysicalWorkspace
from shared.rag.engine import build_rag
from shared.rag.environment import publish_environment
from shared.rag.initialisation import open_storages
from shared.rag.models import Models
from shared.rag.store_errors import translated_store_errors
from shared.rag.usage import UsageMeter
from shared.settings import Settings

_IDLE_CHECK_S = 30.0


@dataclass
class _Open:
    rag: LightRAG
    users: int = 0
    used_at_s: float = field(default_factory=monotonic)


class RagPool:
    """Hands out LightRAG instances; every instance belongs to the loop that opened it.

    An open workspace costs about 13 MB, hence idle ones are closed: those unused for
    `WORKSPACE_IDLE_S`, and the longest unused beyond `MAX_OPEN_WORKSPACES`.
    """

    def __init__(self, settings: Settings, models: Models) -> None:
        self._settings = settings
        self._models = models
        self._open: dict[PhysicalWorkspace, _Open] = {}
        # Each workspace has its own: a store that hangs while one opens must not stop the others.
        self._locks: defaultdict[PhysicalWorkspace, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._closer: asyncio.Task[None] | None = None
        publish_environment(settings)

    @property
    def meter(self) -> UsageMeter:
        """What the models of all workspaces count with."""
        return self._models.meter

    def use(self, workspace: PhysicalWorkspace) -> AbstractAsyncContextManager[LightRAG]:
        """Give the instance of one workspace for the time of a `with` block.

        Raises:
            StoreUnavailableError: a store did not answer while it was opened.
        """
        return self._use(workspace)

    @asynccontextmanager
    async def _use(self, workspace: PhysicalWorkspace) -> AsyncIterator[LightRAG]:
        async with self._locks[workspace]:
            entry = self._open.get(workspace) or await self._open_one(workspace)
            entry.users += 1
        try:
            yield entry.rag
        finally:
            entry.users -= 1
            entry.used_at_s = monotonic()

    async def _close_idle_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_IDLE_CHECK_S)
            await self.close_idle()

    @asynccontextmanager
    async def opened_with(
        self, workspace: PhysicalWorkspace, *, embedding_name: str, embedding_dim: int
    ) -> AsyncIterator[LightRAG]:
        """Open a workspace that was filled with another embedding model, to remove its data.

        Its vectors lie under that model's name and size; ours would not find or read them.
        """
        await self.forget(workspace)
        models = replace(self._models, embedding_name=embedding_name, embedding_dim=embedding_dim)
        rag = build_rag(self._settings, models, workspace=workspace)
        with translated_store_errors():
            await open_storages(rag, self._settings)
            try:
                yield rag
            finally:
                await rag.finalize_storages()

    async def close_idle(self) -> None:
        """Close what nobody used for a while."""
        limits = self._settings.limits
        idle = sorted(
            (entry.used_at_s, name) for name, entry in self._open.items() if not entry.users
        )
        surplus = len(self._open) - limits.max_open_workspaces
        for position, (used_at_s, name) in enumerate(idle):
            if position < surplus or monotonic() - used_at_s > limits.workspace_idle_s:
                await self._close_unused(name)

    async def _close_unused(self, workspace: PhysicalWorkspace) -> None:
        async with self._locks[workspace]:
            entry = self._open.get(workspace)
            # Somebody may have come while we waited for the lock.
            if entry is not None and not entry.users:
                del self._open[workspace]
                await entry.rag.finalize_storages()

    async def forget(self, workspace: PhysicalWorkspace) -> None:
        """Close one workspace, for example because it was dropped."""
        async with self._locks[workspace]:
            if entry := self._open.pop(workspace, None):
                await entry.rag.finalize_storages()

    async def close(self) -> None:
        """Close all instances and the models."""
        if self._closer is not None:
            self._closer.cancel()
        while self._open:
            _, entry = self._open.popitem()
            await entry.rag.finalize_storages()
        await self._models.close()

    async def _open_one(self, workspace: PhysicalWorkspace) -> _Open:
        rag = build_rag(self._settings, self._models, workspace=workspace)
        rag.apipeline_process_enqueue_documents = _nothing_is_enqueued
        with translated_store_errors():
            await open_storages(rag, self._settings)
        entry = self._open[workspace] = _Open(rag)
        if self._closer is None:
            # In an empty context: it outlives the request that happens to begin it.
            self._closer = asyncio.create_task(
                self._close_idle_for_ever(), context=contextvars.Context()
            )
        return entry


async def _nothing_is_enqueued(**_arguments: object) -> None:
    """Stand in for LightRAG's own pipeline, which would sweep rows that are ours to commit."""
