"""Takes a snapshot of a workspace while it is in use.

1. Everything is read while others commit: some of it is old at the end, some by half.
2. What was committed meanwhile is read again, as often as that is much.
3. The workspace is paused, the group that is being committed is awaited, the lease taken: what was
   committed last is read again, and nothing changes any more. The pause ends.
4. Replies of models that came meanwhile are added: nothing in the graph depends on them.
"""

import asyncio
import errno
import time
from dataclasses import dataclass
from pathlib import Path

from lightrag import LightRAG

from ops.leasing import new_holder, take_lease, under_lease
from ops.migrate.errors import SourceChangedError
from ops.migrate.live.changes import note_commits, read_again, read_new_replies
from ops.migrate.live.snapshot import Snapshot
from ops.migrate.opening import opened
from ops.migrate.progress import Progress
from ops.migrate.stores_source import StoresSource
from shared.ids import WorkspaceName
from shared.ledger.hold_rows import Hold
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, LeaseStatus
from shared.rag.models import embedding_name, require_same_embedding
from shared.rag.pool import RagPool
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings
from worker.commit.apply.stores import open_stores
from worker.commit.take_over import take_over
from worker.leased import LeaseLostError, run_leased

# Millions of items; longer than this something hangs.
_TIMEOUT_S = 48 * 3600.0
# Each round has as much to read as was committed during the last one.
_MAX_ROUNDS = 5
_HELD_UP = "The copy was held up for longer than TASK_LEASE_S; give the command again."


@dataclass
class _Taking:
    settings: Settings
    ledger: Ledger
    rags: RagPool
    hold: Hold
    snapshot: Snapshot
    progress: Progress
    is_over: bool = False
    """Whether the hold was given back."""

    @property
    def lease_ms(self) -> int:
        return int(self.settings.limits.task_lease_s * 1000)

    async def run(self) -> float:
        """Do all of it; return for how long the workspace was paused."""
        with translated_store_errors():
            async with self.rags.use(self.hold.physical) as rag:
                return await self._run(rag)

    async def _run(self, rag: LightRAG) -> float:
        await self._read_first(rag)
        seq = await self._catch_up(rag)
        paused_at_s = time.monotonic()
        if not await self.ledger.holds.stop_commits(self.hold):
            raise LeaseLostError
        # A group that was begun may take a stage's time, when a model is slow.
        lease = await take_lease(
            self.ledger,
            self.hold.workspace,
            holder=self.hold.holder,
            lease_ms=self.lease_ms,
            patience_s=self.settings.limits.stage_timeout_s,
        )
        try:
            await self._finish(rag, lease, seq)
        finally:
            await asyncio.shield(self._let_go(lease))
        paused_s = time.monotonic() - paused_at_s
        await read_new_replies(StoresSource(rag), self.snapshot)
        return paused_s

    async def _read_first(self, rag: LightRAG) -> None:
        source = StoresSource(rag, missed=self.snapshot.items.touch)
        async for operation in source.operations():
            self.snapshot.add(operation)
            self.progress.advance(operation)

    async def _catch_up(self, rag: LightRAG) -> int:
        source = StoresSource(rag)
        assert self.hold.after_seq is not None  # noqa: S101 - it is a copy's
        seq = self.hold.after_seq
        for _ in range(_MAX_ROUNDS):
            seq, commits = await self._note(seq)
            await read_again(source, self.snapshot, is_final=False)
            if commits <= 1:
                break
        return seq

    async def _finish(self, rag: LightRAG, lease: CommitLease, seq: int) -> None:
        await self.ledger.workspaces.get(lease.workspace)
        if lease.physical != self.hold.physical:
            sentence = "The workspace was deleted while it was read, and there is a new one."
            raise SourceChangedError(sentence)

        body = self._read_last(rag, lease, seq)
        await under_lease(body, self.ledger, lease, lease_ms=self.lease_ms, timeout_s=_TIMEOUT_S)

    async def _read_last(self, rag: LightRAG, lease: CommitLease, seq: int) -> None:
        stores = open_stores(rag, lease, self.ledger, lease_ms=self.lease_ms, on_progress=_nothing)
        # A committer that was stopped may wake up, and one that died may have left a journal.
        await take_over(stores, lease, self.ledger)
        await self._note(seq)
        await read_again(StoresSource(rag), self.snapshot, is_final=True)
        # Tasks that are committed after the pause must not look committed in the copy.
        async for page in self.ledger.history.entries(lease.workspace, lease.physical):
            self.snapshot.add_history(page)

    async def _note(self, seq: int) -> tuple[int, int]:
        return await note_commits(self.ledger, self.hold.physical, seq, self.snapshot)

    async def renew(self) -> LeaseStatus:
        """Keep the hold for as long as it is needed."""
        kept = self.is_over or await self.ledger.holds.renew(self.hold, ttl_ms=self.lease_ms)
        return LeaseStatus.HELD if kept or self.is_over else LeaseStatus.LOST

    async def _let_go(self, lease: CommitLease) -> None:
        self.is_over = True
        await self.ledger.workspaces.release_commit_lease(lease)
        await self.ledger.holds.end(self.hold)


async def taken(
    settings: Settings, name: WorkspaceName, folder: Path, progress: Progress
) -> tuple[Snapshot, float]:
    """Take a workspace as it is at one moment.

    Args:
        settings: of the installation, which has servers.
        name: of the workspace.
        folder: on a disk with room for all of it, as an archive.
        progress: told of what is read first.

    Returns:
        The snapshot, to be closed; and for how many seconds nothing was committed.

    Raises:
        WorkspaceNotFoundError: it is missing, or being deleted.
        WorkspaceBusyError: a tool writes into it, or a commit did not end.
        SourceChangedError: it was deleted meanwhile, or the copy held up for too long.
        UnavailableError: a server is away.
        OSError: the disk is full.
    """
    model = embedding_name(settings)
    snapshot = Snapshot(folder, dimension=settings.embedding.dim, embedding_model=model)
    try:
        return snapshot, await _fill(settings, name, snapshot, progress)
    except BaseException as error:
        snapshot.close()
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            # Its files have no names, and the source's disk must not be taken for the target's.
            error.filename = str(folder)
        raise


async def _fill(
    settings: Settings, name: WorkspaceName, snapshot: Snapshot, progress: Progress
) -> float:
    async with opened(settings, is_source=True) as (ledger, rags):
        require_same_embedding(await ledger.workspaces.get(name), settings)
        lease_ms = int(settings.limits.task_lease_s * 1000)
        hold = await ledger.holds.begin_copy(name, holder=new_holder("copy"), ttl_ms=lease_ms)
        taking = _Taking(settings, ledger, rags, hold, snapshot, progress)
        try:
            return await run_leased(
                taking.run(), renew=taking.renew, lease_ms=lease_ms, timeout_s=_TIMEOUT_S
            )
        except LeaseLostError:
            raise SourceChangedError(_HELD_UP) from None
        finally:
            await asyncio.shield(ledger.holds.end(hold))


def _nothing() -> None:
    """Each operation is counted where it is given."""
