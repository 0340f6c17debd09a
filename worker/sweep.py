"""The sweeper: whatever should be moving and is not gets a push."""

from shared.contract.names import QueueName
from shared.contract.payloads import CommitWorkspace, ExtractBatch, PrepareDocument, Sweep
from shared.errors import QueueUnavailableError
from shared.ledger.task_ids import ids_of
from shared.logs import get_logger
from worker.context import WorkerContext
from worker.metrics import LAST_SWEEP

_log = get_logger(__name__)

_BATCH_ROWS = 200
# With an empty queue a message that was sent this long ago is lost or its worker is dead.
_LOST_AFTER_MS = 15_000
# With a full queue it probably still waits; sending again is harmless but fills the queue.
_STALE_AFTER_MS = 600_000


async def sweep(message: Sweep, context: WorkerContext) -> None:
    """Look once for expired leases and lost messages; safe to run twice at once."""
    del message
    await _expire_leases(context)
    try:
        await _send_prepare(context)
        await _send_extract(context)
        await _send_commit(context)
    except QueueUnavailableError:
        _log.warning("sweep_without_broker")
    LAST_SWEEP.set_to_current_time()


async def _expire_leases(context: WorkerContext) -> None:
    # The last of MAX_ATTEMPTS attempts leaves no strike to spare.
    max_strikes = context.settings.limits.max_attempts - 1
    for task in await context.ledger.tasks.expire_leases(
        max_strikes=max_strikes, limit=_BATCH_ROWS
    ):
        _log.warning("lease_expired", **ids_of(task), state=task.state, strikes=task.strikes)
    freed = await context.ledger.batches.expire_leases(max_strikes=max_strikes, limit=_BATCH_ROWS)
    if freed:
        _log.warning("batch_leases_expired", batches=freed)


async def _resend_after_ms(queue: QueueName, context: WorkerContext) -> int:
    waiting = await context.sender.depth(queue)
    return _STALE_AFTER_MS if waiting else _LOST_AFTER_MS


async def _send_prepare(context: WorkerContext) -> None:
    older_than_ms = await _resend_after_ms(QueueName.PREPARE, context)
    for task in await context.ledger.tasks.unsent(older_than_ms=older_than_ms, limit=_BATCH_ROWS):
        await context.sender.send(PrepareDocument(task_id=task.id, request_id=task.request_id))
        await context.ledger.tasks.mark_sent(task.id)


async def _send_extract(context: WorkerContext) -> None:
    batches = context.ledger.batches
    older_than_ms = await _resend_after_ms(QueueName.EXTRACT, context)
    for batch in await batches.unsent(older_than_ms=older_than_ms, limit=_BATCH_ROWS):
        await context.sender.send(
            ExtractBatch(
                task_id=batch.task_id,
                prepare_attempt=batch.prepare_attempt,
                batch_index=batch.index,
            )
        )
        await batches.mark_sent(batch.task_id, batch.prepare_attempt, indexes=[batch.index])


async def _send_commit(context: WorkerContext) -> None:
    # Nobody writes down which of these were sent: asking twice is cheap, a full queue is not.
    room = _BATCH_ROWS - await context.sender.depth(QueueName.COMMIT)
    if room <= 0:
        return
    for workspace in await context.ledger.workspaces.awaiting_commit(limit=room):
        await context.sender.send(CommitWorkspace(workspace=workspace))
