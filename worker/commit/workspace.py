"""The one writer of a workspace: takes its lease, puts it in order, commits, gives it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from lightrag import LightRAG

from shared.connections import ledger_url
from shared.contract.payloads import CommitWorkspace
from shared.errors import AppError, UnavailableError
from shared.ledger.records import CommitLease
from shared.logs import get_logger
from shared.rag.models import embedding_name
from worker.commit.apply.stores import open_stores
from worker.commit.heartbeat import Heartbeat, kept_alive
from worker.commit.session import Session
from worker.commit.take_over import take_over
from worker.commit.turn import commit_ready
from worker.context import WorkerContext
from worker.ingestion.delivery import send_or_leave_to_sweeper
from worker.leased import LeaseLostError
from worker.metrics import COMMIT_LEASES, TAKE_OVER
from worker.retry import app_error_behind

_log = get_logger(__name__)


async def commit_workspace(message: CommitWorkspace, context: WorkerContext) -> None:
    """Commit what is ready in one workspace, unless somebody else is doing so."""
    workspaces = context.ledger.workspaces
    if not await workspaces.is_awaiting_commit(message.workspace):
        return  # somebody is at it, or was: most documents come while a group is written
    lease = await workspaces.take_commit_lease(
        message.workspace, holder=context.holder, ttl_ms=context.lease_ms
    )
    COMMIT_LEASES.labels("held" if lease is None else "taken").inc()
    if lease is None:
        return
    try:
        may_go_on = await _work(lease, context)
    finally:
        with suppress(UnavailableError):  # then it expires
            await asyncio.shield(workspaces.release_commit_lease(lease))
    # The turn ended before the work did, or work became ready between our last look and the
    # release: whoever brought it found the lease taken.
    if may_go_on and await workspaces.is_awaiting_commit(message.workspace):
        await send_or_leave_to_sweeper([message], context)


async def _work(lease: CommitLease, context: WorkerContext) -> bool:
    """Do a turn; False: what stopped it is still there, so only the sweeper asks for another."""
    heartbeat = Heartbeat(
        ledger_url(context.settings),
        lease,
        ttl_ms=context.lease_ms,
        # A merge ends by its own deadline first, which tells what hung.
        stall_s=2 * context.settings.limits.stage_timeout_s,
    )
    try:
        async with kept_alive(heartbeat), _opened(lease, context) as rag:
            stores = open_stores(
                rag,
                lease,
                context.ledger,
                lease_ms=context.lease_ms,
                on_progress=heartbeat.progressed,
            )
            with TAKE_OVER.time():
                await take_over(stores, lease, context.ledger)
            await commit_ready(Session(context, lease, rag, stores, heartbeat))
    except LeaseLostError:
        COMMIT_LEASES.labels("lost").inc()
        _log.warning("commit_lease_lost", workspace=lease.workspace, token=lease.token)
    except asyncio.CancelledError:
        if not heartbeat.lost or _is_still_cancelled():
            raise
        COMMIT_LEASES.labels("lost").inc()
        _log.warning("commit_lease_lost", workspace=lease.workspace, token=lease.token)
    except Exception as error:  # noqa: BLE001 - the edge: what is journaled waits for the next turn
        await _explain(error, lease, context)
        return False
    return True


async def _explain(error: Exception, lease: CommitLease, context: WorkerContext) -> None:
    """Show what the workspace's tasks wait for: those in a journal cannot fail any more."""
    known = app_error_behind(error) or AppError()
    _log.warning(
        "commit_waits",
        workspace=lease.workspace,
        code=known.code,
        exc_info=error if type(known) is AppError else None,
    )
    with suppress(UnavailableError):
        await context.ledger.tasks.explain_commit_delay(
            lease, error_code=known.code, error_detail=known.detail
        )


def _is_still_cancelled() -> bool:
    """Take the heartbeat's cancellation back; True: somebody else wants the task to end, too."""
    holder = asyncio.current_task()
    assert holder is not None  # noqa: S101 - coroutines run in tasks
    return holder.uncancel() > 0


@asynccontextmanager
async def _opened(lease: CommitLease, context: WorkerContext) -> AsyncIterator[LightRAG]:
    """Open a workspace under the embedding model that filled it: it may be there to be dropped."""
    filled_with = await context.ledger.workspaces.embedding_of(lease.workspace)
    ours = (embedding_name(context.settings), context.settings.embedding.dim)
    if filled_with in (None, ours):
        async with context.rags.use(lease.physical) as rag:
            yield rag
        return
    model, dimension = filled_with
    async with context.rags.opened_with(
        lease.physical, embedding_name=model, embedding_dim=dimension
    ) as rag:
        yield rag
