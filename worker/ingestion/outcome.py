"""The one path on which a stage's failure becomes a row of the ledger."""

import time

from shared.errors import StageInterruptedError
from shared.ledger.records import BatchClaim, Claim, Task
from shared.ledger.task_ids import ids_of
from shared.logs import get_logger
from shared.tracing.spans import fail
from worker.context import WorkerContext
from worker.metrics import ATTEMPT_FAILURES
from worker.retry import Action, Budget, Decision, Failure, app_error_behind, decide

_log = get_logger(__name__)
_MS_PER_S = 1000

# The process is stopping: the work goes back at once instead of waiting for its lease to expire.
INTERRUPTED = Decision(
    Action.RETRY,
    delay_s=0.0,
    strike=False,
    code=StageInterruptedError.code,
    detail=StageInterruptedError().detail,
)


def budget_of(context: WorkerContext) -> Budget:
    """Read from settings how much is tried."""
    limits = context.settings.limits
    return Budget(max_strikes=limits.max_attempts, max_age_s=limits.retry_budget_hours * 3600)


def decide_on(
    error: BaseException, task: Task, context: WorkerContext, *, batch: BatchClaim | None = None
) -> Decision:
    """Decide what follows a failed attempt of `task`, or of one batch of it, and log it."""
    failure = Failure(
        error=error,
        # Every claim of a batch has a token of its own, counted from 1.
        attempt=batch.lease.token if batch else task.attempt,
        strikes=batch.strikes if batch else task.strikes,
        # A retry by hand starts the clock again.
        age_s=time.time() - (task.started_at_ms or task.created_at_ms) / _MS_PER_S,
    )
    decision = decide(failure, budget_of(context))
    ATTEMPT_FAILURES.labels(decision.action.value, decision.code).inc()
    fail(error)
    _log.warning(
        "attempt_failed",
        **ids_of(task),
        action=decision.action,
        code=decision.code,
        attempt=failure.attempt,
        # An unforeseen error is a bug of ours: its trace is wanted.
        exc_info=error if app_error_behind(error) is None else None,
    )
    return decision


async def settle_task(claim: Claim, decision: Decision, context: WorkerContext) -> None:
    """Write down what was decided for a task in prepare."""
    if decision.action is Action.FAIL:
        await context.ledger.tasks.fail(
            claim, error_code=decision.code, error_detail=decision.detail
        )
        return
    await context.ledger.tasks.postpone(
        claim,
        delay_ms=int(decision.delay_s * _MS_PER_S),
        error_code=decision.code,
        error_detail=decision.detail,
        strike=decision.strike,
    )


async def settle_batch(claim: BatchClaim, decision: Decision, context: WorkerContext) -> None:
    """Write down what was decided for one batch."""
    if decision.action is Action.FAIL:
        await context.ledger.batches.fail(
            claim, error_code=decision.code, error_detail=decision.detail
        )
        return
    await context.ledger.batches.postpone(
        claim,
        delay_ms=int(decision.delay_s * _MS_PER_S),
        error_code=decision.code,
        error_detail=decision.detail,
        strike=decision.strike,
    )
