"""Reads back what the stages before the commit wrote down."""

import asyncio

from shared.errors import AppError
from shared.ledger.records import Batch, Task
from worker.commit.rows import PreparedDocument
from worker.context import WorkerContext
from worker.ingestion.encoding import Chunks, Extraction, decode_batch, decode_extractions


class PreparedRowsMissingError(AppError):
    """The prepared text of this task is gone from the ledger; retry the task."""

    code = "prepared_rows_missing"


async def load_prepared(task: Task, context: WorkerContext) -> PreparedDocument:
    """Read one task's text, chunks and extraction results from the ledger.

    Raises:
        PreparedRowsMissingError: a batch is not there or not extracted.
    """
    batches = await context.ledger.batches.results(task.id, task.prepare_attempt)
    return await asyncio.to_thread(_assemble, task, batches)


def _assemble(task: Task, batches: list[Batch]) -> PreparedDocument:
    chunks: Chunks = {}
    extractions: list[Extraction] = []
    text: str | None = None
    for batch in batches:
        if batch.result is None:
            raise PreparedRowsMissingError
        decoded = decode_batch(batch.chunks)
        text = text if decoded.text is None else decoded.text
        chunks |= decoded.chunks
        extractions += decode_extractions(batch.result)
    if text is None or task.doc_id is None:
        raise PreparedRowsMissingError
    return PreparedDocument(task.id, task.doc_id, task.file_name, text, chunks, extractions)
