"""The prepare stage: stored bytes to chunks; small documents are extracted here as well."""

import asyncio
from contextlib import suppress
from functools import partial

from lightrag import LightRAG

from shared.contract.names import QueueName
from shared.contract.payloads import ExtractBatch, PrepareDocument
from shared.errors import ObjectNotFoundError, UnavailableError
from shared.ledger.records import Claim, DoneBatch, NewBatch, Task
from shared.logs import get_logger
from shared.rag.calls import Purpose
from shared.tracing.spans import span
from worker.context import WorkerContext
from worker.embedding import require_same_embedding, tie_to_embedding
from worker.ingestion.chunking import cut_into_chunks, sanitized, split_into_batches
from worker.ingestion.delivery import send_or_leave_to_sweeper, wake_committer
from worker.ingestion.encoding import (
    ChunkBatch,
    Chunks,
    Extraction,
    encode_batch,
    encode_extractions,
)
from worker.ingestion.extraction import extract_chunks
from worker.ingestion.outcome import INTERRUPTED, decide_on, settle_task
from worker.ingestion.progress import OnProgress, paced
from worker.leased import CancelRequestedError, LeaseLostError, run_leased
from worker.metering import metered
from worker.metrics import observed_stage
from worker.parsing.errors import NoTextError
from worker.stage import Clock, stage_of

_log = get_logger(__name__)


async def prepare_document(message: PrepareDocument, context: WorkerContext) -> None:
    """Parse and chunk one task's bytes, if it still waits for that."""
    tasks = context.ledger.tasks
    claim = await tasks.claim(message.task_id, holder=context.holder, ttl_ms=context.lease_ms)
    if claim is None:
        return
    with stage_of(claim.task, QueueName.PREPARE, attempt=claim.task.attempt):
        await _prepare_claimed(claim, context)


async def _prepare_claimed(claim: Claim, context: WorkerContext) -> None:
    tasks, clock = context.ledger.tasks, Clock()
    try:
        with observed_stage("prepare"):
            batches = await run_leased(
                _prepare(claim, context),
                renew=partial(tasks.renew, claim, ttl_ms=context.lease_ms),
                lease_ms=context.lease_ms,
                timeout_s=context.settings.limits.stage_timeout_s,
            )
    except LeaseLostError:
        _log.info("lease_lost")
    except CancelRequestedError:
        await tasks.confirm_cancel(claim)
    except asyncio.CancelledError:
        # The process is stopping: hand the task back at once instead of letting its lease expire.
        with suppress(UnavailableError):  # then its lease expires
            await asyncio.shield(settle_task(claim, INTERRUPTED, context))
        raise
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await settle_task(claim, decide_on(error, claim.task, context), context)
    else:
        _log.info("document_prepared", batches=len(batches), duration_ms=clock.duration_ms)
        # The task is no longer ours, so this is outside its lease.
        if batches:
            await _ask_for(batches, claim, context)
        else:
            await wake_committer(claim.task.workspace, context)


async def _prepare(claim: Claim, context: WorkerContext) -> list[int]:
    """Do the work and hand it on in the ledger; returns the batches left to extract, if any.

    Raises:
        LeaseLostError: the task is no longer ours: taken, superseded or cancelled meanwhile.
    """
    task = claim.task
    await require_same_embedding(task.workspace, context)
    text, chunks = await _cut(task, await _read(task, context), context)
    batches = split_into_batches(chunks, size=context.settings.indexing.extract_batch_chunks)
    if len(batches) == 1:
        await _extract_here(claim, ChunkBatch(chunks, text), context)
        return []
    return await _fan_out(claim, batches, text, context)


async def _read(task: Task, context: WorkerContext) -> str:
    if task.object_key is None:
        raise ObjectNotFoundError
    # A store elsewhere gives a copy: no more of them than are read at a time, or the disk is full.
    async with context.parsers.places, context.objects.as_file(task.object_key) as path:
        with span("parse", {"size_bytes": task.size_bytes}) as parsing:
            parsed = await context.parsers.parse(path, file_name=task.file_name)
            parsing.set({"format": parsed.format})
    return parsed.text


async def _cut(task: Task, text: str, context: WorkerContext) -> tuple[str, Chunks]:
    """Clean the text and cut it, in one thread: a change of threads costs more than both."""
    doc_id, file_name = task.doc_id, task.file_name
    assert doc_id is not None  # noqa: S101 - only inserts are prepared

    def cut(rag: LightRAG) -> tuple[str, Chunks]:
        if not (clean := sanitized(text)):
            raise NoTextError
        return clean, cut_into_chunks(rag, clean, doc_id=doc_id, file_name=file_name)

    async with context.rags.use(task.physical) as rag:
        with span("cut into chunks") as cutting:
            clean, chunks = await asyncio.to_thread(cut, rag)
            cutting.set({"chunks": len(chunks)})
    return clean, chunks


async def _extract_here(claim: Claim, batch: ChunkBatch, context: WorkerContext) -> None:
    """Extract a small document at once: a second message would cost more than it gives."""
    progress = _progress_of(claim, chunks_total=len(batch.chunks), context=context)
    task = claim.task
    async with metered(Purpose.EXTRACT, task, context), context.rags.use(task.physical) as rag:
        extractions = await extract_chunks(rag, batch.chunks, on_progress=progress)
    await tie_to_embedding(task, context)
    done = await asyncio.to_thread(_encode_done, batch, extractions)
    if not await context.ledger.tasks.make_ready(claim, batches_done=[done]):
        raise LeaseLostError


def _encode_done(batch: ChunkBatch, extractions: list[Extraction]) -> DoneBatch:
    return DoneBatch(
        index=0,
        chunk_count=len(batch.chunks),
        chunks=encode_batch(batch),
        result=encode_extractions(extractions),
    )


def _progress_of(claim: Claim, *, chunks_total: int, context: WorkerContext) -> OnProgress:
    async def report(chunks_done: int) -> None:
        await context.ledger.tasks.report_progress(
            claim, chunks_done=chunks_done, chunks_total=chunks_total
        )

    return paced(report, chunks_total=chunks_total)


async def _fan_out(
    claim: Claim, batches: list[Chunks], text: str, context: WorkerContext
) -> list[int]:
    """Write the batches down: a large book spreads over all workers."""
    encoded = await asyncio.to_thread(_encode_all, batches, text)
    if not await context.ledger.tasks.start_extracting(claim, batches=encoded):
        raise LeaseLostError
    return [batch.index for batch in encoded]


def _encode_all(batches: list[Chunks], text: str) -> list[NewBatch]:
    return [
        NewBatch(
            index=index,
            chunk_count=len(chunks),
            chunks=encode_batch(ChunkBatch(chunks, text if index == 0 else None)),
        )
        for index, chunks in enumerate(batches)
    ]


async def _ask_for(indexes: list[int], claim: Claim, context: WorkerContext) -> None:
    task_id, attempt = claim.task.id, claim.lease.token
    messages = [
        ExtractBatch(task_id=task_id, prepare_attempt=attempt, batch_index=index)
        for index in indexes
    ]
    if await send_or_leave_to_sweeper(messages, context):
        await context.ledger.batches.mark_sent(task_id, attempt, indexes=indexes)
