"""`--replace`: what a workspace holds is deleted before it is filled, as `DELETE /workspaces` does.

The deletion is a task of the ledger, so one that was broken off is known: the workspace is closed,
and whoever comes next ends it, a worker or this command. What comes then is the workspace's next
generation, with names of its own in every store.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from lightrag import LightRAG

from ops.client.session import output
from ops.leasing import new_holder, under_lease
from ops.migrate.census.looking import look_at
from ops.migrate.checkpoints import checkpoint_path, read_checkpoint
from ops.migrate.confirming import confirm
from ops.migrate.errors import PlaceError
from ops.migrate.folder.source import FolderSource
from ops.migrate.opening import opened
from ops.migrate.re_embedding.source import ReEmbeddedSource
from ops.migrate.source import Source
from shared.errors import WorkspaceBusyError, WorkspaceNotFoundError
from shared.ids import PhysicalWorkspace, TaskId, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, GroupBounds, TaskState
from shared.rag.models import embedding_name
from shared.rag.pool import RagPool
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings
from worker.commit.apply.stores import open_stores
from worker.commit.drop import empty_storages
from worker.commit.take_over import take_over
from worker.leased import LeaseLostError

_POLL_S = 0.5
# LightRAG deletes rows of a workspace in one statement a table.
_DROP_TIMEOUT_S = 4 * 3600.0
# Workers that have begun a document end it before the workspace goes.
_PATIENCE_S = 60.0


async def empty_workspace(
    settings: Settings, name: WorkspaceName, source: Source, *, is_confirmed: bool
) -> None:
    """Delete what a workspace holds, unless it is the half of this very copy.

    Args:
        settings: of the installation.
        name: of the workspace; it need not be there.
        source: what is going to be copied; it was read to its end.
        is_confirmed: nobody is asked.

    Raises:
        ConfirmationNeededError: nobody said that it may be deleted.
        PlaceError: the source is this workspace.
        WorkspaceBusyError: a document is half committed, and nobody ends it.
        UnavailableError: a server is away; the same command goes on.
    """
    async with opened(settings) as (ledger, rags):
        census = await look_at(settings, name)
        physical = census.physical
        if physical is not None:
            _require_another(source, settings.storage.data_dir / "rag" / physical)
            if census.is_empty:
                # What was begun and is not there at all is no half of anything.
                checkpoint_path(settings, physical).unlink(missing_ok=True)
                return
            if await _is_half_copied(settings, ledger, physical, source):
                return
            question = (
                f"Delete workspace {name} with its {census.documents} documents, and what is being "
                "uploaded into it, and fill it anew?"
            )
            confirm(question, is_confirmed=is_confirmed)
            output.print(f"Deleting what is in {name} …")
        with suppress(WorkspaceNotFoundError):  # it was never made, or is gone already
            task = await ledger.workspaces.request_drop(name)
            await _end_drop(settings, ledger, rags, name, task.id)
    if physical is not None:
        checkpoint_path(settings, physical).unlink(missing_ok=True)


def _require_another(source: Source, target: Path) -> None:
    source = source.source if isinstance(source, ReEmbeddedSource) else source
    if isinstance(source, FolderSource) and source.folder.resolve() == target.resolve():
        sentence = "The source is the workspace that would be deleted; name another one."
        raise PlaceError(sentence)


async def _is_half_copied(
    settings: Settings, ledger: Ledger, physical: PhysicalWorkspace, source: Source
) -> bool:
    """Tell whether what is there is of this copy alone, which then goes on."""
    found = read_checkpoint(checkpoint_path(settings, physical))
    if found is None:
        return False
    seq = await ledger.journals.last_seq(physical)
    return bool(found["source"] == source.fingerprint() and found["seq"] == seq)


async def _end_drop(
    settings: Settings, ledger: Ledger, rags: RagPool, name: WorkspaceName, task_id: TaskId
) -> None:
    """Do what is ordered, or wait for a worker who is at it."""
    holder, lease_ms = new_holder("replace"), int(settings.limits.task_lease_s * 1000)
    give_up_at_s = time.monotonic() + _PATIENCE_S
    while (await ledger.tasks.get(task_id)).state is not TaskState.SUCCEEDED:
        lease = await ledger.workspaces.take_commit_lease(name, holder=holder, ttl_ms=lease_ms)
        if lease is not None:
            try:
                if await _drop(settings, ledger, rags, lease, task_id):
                    return
            finally:
                await asyncio.shield(ledger.workspaces.release_commit_lease(lease))
        if time.monotonic() > give_up_at_s:
            sentence = (
                "The deletion waits for a document that is half committed; start the workers, let "
                "them end it, and give the same command again."
            )
            raise WorkspaceBusyError(sentence)
        await asyncio.sleep(_POLL_S)


async def _drop(
    settings: Settings, ledger: Ledger, rags: RagPool, lease: CommitLease, task_id: TaskId
) -> bool:
    """Delete it under our lease; False: something else has to be ended before."""
    lease_ms = int(settings.limits.task_lease_s * 1000)

    async def drop() -> bool:
        with translated_store_errors():
            async with _opened(settings, ledger, rags, lease) as rag:
                stores = open_stores(rag, lease, ledger, lease_ms=lease_ms, on_progress=_nothing)
                await take_over(stores, lease, ledger)
                gathered = await ledger.tasks.gather_commits(lease, GroupBounds(tasks=1, chunks=1))
                if [task.id for task in gathered] != [task_id]:
                    await ledger.tasks.hand_commits_back(lease, [task.id for task in gathered])
                    return False
                await empty_storages(rag, lease, ledger.workspaces, on_progress=_nothing)
        return await ledger.workspaces.finish_drop(lease, task_id)

    try:
        return await under_lease(
            drop(), ledger, lease, lease_ms=lease_ms, timeout_s=_DROP_TIMEOUT_S
        )
    except LeaseLostError:
        return False  # a worker took it over


@asynccontextmanager
async def _opened(
    settings: Settings, ledger: Ledger, rags: RagPool, lease: CommitLease
) -> AsyncIterator[LightRAG]:
    """Open it with the embedding model that filled it: its vectors lie under that name."""
    filled_with = await ledger.workspaces.embedding_of(lease.workspace)
    model, dimension = filled_with or (embedding_name(settings), settings.embedding.dim)
    async with rags.opened_with(
        lease.physical, embedding_name=model, embedding_dim=dimension
    ) as rag:
        yield rag


def _nothing() -> None:
    """The lease is renewed beside the work."""
