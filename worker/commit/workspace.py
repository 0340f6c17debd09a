"""The one writer of a workspace: takes its lease and commits what is ready, oldest first."""

import asyncio
from contextlib import suppress
from time import monotonic

from shared.contract.payloads import CommitWorkspace
from shared.errors import AttemptsExhaustedError, DeadlineExceededError, UnavailableError
from shared.ledger.records import CommitLease, LeaseStatus, Task
from shared.logs import get_logger
from worker.commit.write import undo, write
from worker.context import WorkerContext
from worker.ingestion.delivery import send_or_leave_to_sweeper
from worker.ingestion.outcome import INTERRUPTED, decide_on
from worker.leased import LeaseLostError, run_leased
from worker.retry import Action, Decision

_log = get_logger(__name__)
# After this long the workspace goes to the end of the queue, so that no busy one starves others.
_TURN_S = 30.0
# Beyond the turn and the deadline of its last task: undoing that task, and writing it down.
_TURN_MARGIN_S = 600.0


async def commit_workspace(message: CommitWorkspace, context: WorkerContext) -> None:
    """Commit what is ready in one workspace, unless somebody else is doing so."""
    workspaces = context.ledger.workspaces
    lease = await workspaces.take_commit_lease(
        message.workspace, holder=context.holder, ttl_ms=context.lease_ms
    )
    if lease is None:
        return

    async def renew() -> LeaseStatus:
        held = await workspaces.renew_commit_lease(lease, ttl_ms=context.lease_ms)
        return LeaseStatus.HELD if held else LeaseStatus.LOST

    try:
        await run_leased(
            _commit_ready(lease, context),
            renew=renew,
            lease_ms=context.lease_ms,
            timeout_s=_TURN_S + context.settings.limits.stage_timeout_s + _TURN_MARGIN_S,
        )
    except LeaseLostError:
        _log.warning("commit_lease_lost", workspace=lease.workspace, token=lease.token)
        return
    finally:
        with suppress(UnavailableError):  # then it expires
            await asyncio.shield(workspaces.release_commit_lease(lease))
    # The turn ended before the work did, or work became ready between our last look and the
    # release: whoever brought it found the lease taken.
    if await workspaces.is_awaiting_commit(message.workspace):
        await send_or_leave_to_sweeper([message], context)


async def _commit_ready(lease: CommitLease, context: WorkerContext) -> None:
    """Commit task after task until nothing is ready or the turn is over."""
    ends_at_s = monotonic() + _TURN_S
    while monotonic() < ends_at_s:
        task = await context.ledger.tasks.claim_commit(lease)
        if task is None:
            return
        await _commit_one(task, lease, context)


async def _commit_one(task: Task, lease: CommitLease, context: WorkerContext) -> None:
    _log.info("commit_started", task_id=task.id, kind=task.kind, attempt=task.attempt)
    try:
        await _write_in_time(task, lease, context)
    except asyncio.CancelledError:
        # The process is stopping. If instead the lease was lost, this finds that out by itself.
        with suppress(UnavailableError):  # then the next holder takes it as left behind
            await asyncio.shield(_postpone(task, lease, INTERRUPTED, context))
        raise
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await _settle(task, lease, error, context)
    else:
        _log.info("commit_done", task_id=task.id)


async def _write_in_time(task: Task, lease: CommitLease, context: WorkerContext) -> None:
    if task.strikes >= context.settings.limits.max_attempts:
        # Committers died of it, who could not decide that it was enough.
        raise AttemptsExhaustedError
    try:
        async with asyncio.timeout(context.settings.limits.stage_timeout_s) as deadline:
            await write(task, lease, context)
    except TimeoutError:
        if deadline.expired():
            raise DeadlineExceededError from None
        raise


async def _settle(task: Task, lease: CommitLease, error: Exception, context: WorkerContext) -> None:
    decision = decide_on(error, task, context)
    if decision.action is Action.RETRY:
        await _postpone(task, lease, decision, context)
        return
    await undo(task, context)
    await context.ledger.tasks.fail_commit(
        lease, task.id, error_code=decision.code, error_detail=decision.detail
    )


async def _postpone(
    task: Task, lease: CommitLease, decision: Decision, context: WorkerContext
) -> None:
    await context.ledger.tasks.postpone_commit(
        lease,
        task.id,
        delay_ms=int(decision.delay_s * 1000),
        error_code=decision.code,
        error_detail=decision.detail,
        strike=decision.strike,
    )
