"""The stores of this installation, held alone while a workspace of them is filled."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lightrag import LightRAG
from lightrag.kg.shared_storage import finalize_share_data

from ops.leasing import new_holder, nothing_committed, take_lease, under_lease
from ops.migrate.folder.source import FolderSource
from ops.migrate.history.installed import InstalledSource
from ops.migrate.opening import opened
from ops.migrate.source import Source
from ops.migrate.stores_source import StoresSource
from ops.migrate.taken import taken
from shared.errors import WorkspaceBusyError, WorkspaceExistsError
from shared.ids import WorkspaceName
from shared.ledger.hold_rows import Hold
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease
from shared.objects.base import ObjectStore
from shared.objects.factory import open_objects
from shared.rag.models import embedding_name, require_same_embedding
from shared.rag.pool import RagPool
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings
from worker.commit.apply.stores import Stores, open_stores
from worker.commit.take_over import take_over
from worker.leased import LeaseLostError

# Millions of items; longer than this something hangs.
_TIMEOUT_S = 48 * 3600.0


@dataclass(frozen=True)
class Installation:
    """One workspace of an installation, whose commit lease is ours."""

    settings: Settings
    ledger: Ledger
    lease: CommitLease
    rag: LightRAG
    stores: Stores
    objects: ObjectStore
    leased_at_s: float
    """When the lease was taken, by the monotonic clock."""

    @property
    def is_durable_at_once(self) -> bool:
        """Whether what was written outlives this process: files are written at the end alone."""
        return self.settings.external

    def as_source(self) -> Source:
        """Return the workspace as something to copy from, as it is while the lease is ours."""
        entries = partial(self.ledger.history.entries, self.lease.workspace, self.lease.physical)
        return InstalledSource(self._contents(), entries, self.objects)

    def _contents(self) -> StoresSource | FolderSource:
        if self.settings.external:
            return StoresSource(self.rag)
        folder = Path(self.rag.working_dir) / self.rag.workspace
        return FolderSource(folder, embedding_model=embedding_name(self.settings))

    async def finish(self) -> None:
        """Make everything that was written durable."""
        await self.stores.finish(await self.ledger.journals.last_seq(self.lease.physical))

    async def require_empty(self) -> None:
        """Check that nothing is in the workspace, neither of ours nor of LightRAG's.

        Raises:
            TargetNotEmptyError: something is.
        """
        name = self.lease.workspace
        listed = await self.ledger.documents.page(name, cursor=None, limit=1)
        with translated_store_errors():
            counts = await self.rag.doc_status.get_status_counts()
            labels = await self.rag.chunk_entity_relation_graph.get_all_labels()
        if listed.rows or any(counts.values()) or labels:
            raise taken(name)


def in_files(settings: Settings, folder: Path) -> Settings:
    """Return the settings of an installation in files that is like another one otherwise."""
    kept = {"use_external_storage": False, "data_dir": folder}
    return replace(settings, storage=settings.storage.model_copy(update=kept))


Work = Callable[[Installation], Awaitable[None]]


async def with_workspace(
    settings: Settings,
    name: WorkspaceName,
    *works: Work,
    is_made: bool = True,
    is_written: bool | None = None,
) -> None:
    """Do things in a workspace, one after the other, while nobody else writes in it.

    Uploads meanwhile are taken and wait; questions go on.

    Args:
        settings: of the installation.
        name: of the workspace.
        works: what is done, each with its stores opened anew, so that the next one finds what
            another process would find; cancelled when somebody takes the workspace over.
        is_made: whether the workspace is made where it is missing.
        is_written: whether the works write past the journals, so that nobody may copy the
            workspace meanwhile; None: they do where it is made.

    Raises:
        SettingsError: files are kept here, and another process has them.
        WorkspaceNotFoundError: it is missing, or being deleted.
        WorkspaceBusyError: something else is writing into it, or took the right to.
        UnavailableError: a server is away.
    """
    writes = is_made if is_written is None else is_written
    async with opened(settings, is_source=not is_made) as (ledger, rags):
        if is_made:
            with suppress(WorkspaceExistsError):
                await ledger.workspaces.create(name)
        require_same_embedding(await ledger.workspaces.get(name), settings)
        holder, lease_ms = new_holder("migrate"), int(settings.limits.task_lease_s * 1000)
        async with _held(ledger, name, holder, lease_ms=lease_ms, is_written=writes) as hold:
            lease = await take_lease(
                ledger, name, holder=holder, lease_ms=lease_ms, patience_s=lease_ms / 1000
            )
            body = _do(works, settings, ledger, lease, rags)
            try:
                await under_lease(
                    body, ledger, lease, hold, lease_ms=lease_ms, timeout_s=_TIMEOUT_S
                )
            except LeaseLostError:
                sentence = "Another writer took the workspace over; run the same command again."
                raise WorkspaceBusyError(sentence) from None
            finally:
                await asyncio.shield(ledger.workspaces.release_commit_lease(lease))


@asynccontextmanager
async def _held(
    ledger: Ledger, name: WorkspaceName, holder: str, *, lease_ms: int, is_written: bool
) -> AsyncIterator[Hold | None]:
    if not is_written:
        yield None
        return
    async with nothing_committed(ledger, name, holder=holder, lease_ms=lease_ms) as hold:
        yield hold


async def _do(
    works: Sequence[Work], settings: Settings, ledger: Ledger, lease: CommitLease, rags: RagPool
) -> None:
    leased_at_s = time.monotonic()
    for work in works:
        try:
            with translated_store_errors():
                await _do_one(work, settings, ledger, lease, rags, leased_at_s)
        finally:
            # LightRAG keeps what it read of files for the life of a process.
            finalize_share_data()


async def _do_one(
    work: Work,
    settings: Settings,
    ledger: Ledger,
    lease: CommitLease,
    rags: RagPool,
    leased_at_s: float,
) -> None:
    lease_ms = int(settings.limits.task_lease_s * 1000)
    try:
        async with rags.use(lease.physical) as rag:
            stores = open_stores(rag, lease, ledger, lease_ms=lease_ms, on_progress=_nothing)
            await take_over(stores, lease, ledger)
            objects = open_objects(settings)
            await work(Installation(settings, ledger, lease, rag, stores, objects, leased_at_s))
    finally:
        await rags.forget(lease.physical)


def keeps_files(settings: Settings) -> bool:
    """Tell whether the stores are files, which one process alone may have open."""
    return not settings.external


def _nothing() -> None:
    """Each operation is counted where it is given."""
