"""The extract stage: one batch of a large document; whoever ends the last one wakes the commit."""

import asyncio
from contextlib import suppress
from functools import partial

from shared.contract.names import QueueName
from shared.contract.payloads import ExtractBatch
from shared.errors import UnavailableError
from shared.ledger.records import BatchClaim, Task
from shared.logs import bind, get_logger
from shared.rag.calls import Purpose
from shared.tracing.spans import annotate
from worker.context import WorkerContext
from worker.embedding import tie_to_embedding
from worker.ingestion.delivery import wake_committer
from worker.ingestion.encoding import decode_batch, encode_extractions
from worker.ingestion.extraction import extract_chunks
from worker.ingestion.outcome import INTERRUPTED, decide_on, settle_batch
from worker.ingestion.progress import OnProgress, paced
from worker.leased import CancelRequestedError, LeaseLostError, run_leased
from worker.metering import metered
from worker.metrics import observed_stage
from worker.stage import Clock, stage_of

_log = get_logger(__name__)


async def extract_batch(message: ExtractBatch, context: WorkerContext) -> None:
    """Extract one batch, if it still waits for that."""
    batches = context.ledger.batches
    claim = await batches.claim(
        message.task_id,
        message.prepare_attempt,
        index=message.batch_index,
        holder=context.holder,
        ttl_ms=context.lease_ms,
    )
    if claim is None:
        return
    task = await context.ledger.tasks.get(message.task_id)
    bind(batch=claim.index)
    with stage_of(task, QueueName.EXTRACT, attempt=claim.lease.token):
        annotate({"batch": claim.index})
        await _extract_claimed(claim, task, context)


async def _extract_claimed(claim: BatchClaim, task: Task, context: WorkerContext) -> None:
    batches, clock = context.ledger.batches, Clock()
    try:
        with observed_stage("extract"):
            was_last = await run_leased(
                _extract(claim, task, context),
                renew=partial(batches.renew, claim, ttl_ms=context.lease_ms),
                lease_ms=context.lease_ms,
                timeout_s=context.settings.limits.stage_timeout_s,
            )
    except (LeaseLostError, CancelRequestedError):
        # A cancelled task's batches are dead with it; there is nothing to write down.
        _log.info("lease_lost")
    except asyncio.CancelledError:
        with suppress(UnavailableError):  # then its lease expires
            await asyncio.shield(settle_batch(claim, INTERRUPTED, context))
        raise
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await settle_batch(claim, decide_on(error, task, context, batch=claim), context)
    else:
        _log.info("batch_extracted", was_last=was_last, duration_ms=clock.duration_ms)
        if was_last:
            await wake_committer(task.workspace, context)


async def _extract(claim: BatchClaim, task: Task, context: WorkerContext) -> bool:
    """Do the work and write down its result; True: no batch of the task is left."""
    batch = await context.ledger.batches.load(claim)
    chunks = (await asyncio.to_thread(decode_batch, batch.chunks)).chunks
    progress = _progress_of(claim, chunks_total=len(chunks), context=context)
    async with metered(Purpose.EXTRACT, task, context), context.rags.use(task.physical) as rag:
        extractions = await extract_chunks(rag, chunks, on_progress=progress)
    await tie_to_embedding(task, context)
    result = await asyncio.to_thread(encode_extractions, extractions)
    return await context.ledger.batches.finish(claim, result=result)


def _progress_of(claim: BatchClaim, *, chunks_total: int, context: WorkerContext) -> OnProgress:
    async def report(chunks_done: int) -> None:
        await context.ledger.batches.report_progress(claim, chunks_done=chunks_done)

    return paced(report, chunks_total=chunks_total)
