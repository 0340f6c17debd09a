"""What the stages before the commit wrote down of one document, whole or a slice of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from shared.errors import AppError
from shared.ids import DocumentId, TaskId
from shared.ledger.records import Batch, Task
from worker.context import WorkerContext
from worker.ingestion.encoding import Chunks, Extraction, decode_batch, decode_extractions


class PreparedRowsMissingError(AppError):
    """The prepared text of this task is gone from the ledger; retry the task."""

    code = "prepared_rows_missing"


@dataclass(frozen=True)
class PreparedDocument:
    """Everything the commit of one insert needs."""

    task_id: TaskId
    doc_id: DocumentId
    file_name: str
    text: str
    chunks: Chunks
    extractions: list[Extraction]
    """One for each chunk, in the same order."""


@dataclass(frozen=True)
class Slice:
    """Consecutive chunks of a document that are committed in one group; mostly all of them."""

    document: PreparedDocument
    start: int
    stop: int

    @property
    def is_first(self) -> bool:
        """Whether nothing of this revision is in the graph yet."""
        return self.start == 0

    @property
    def is_last(self) -> bool:
        """Whether the document is complete with it."""
        return self.stop == len(self.document.chunks)

    @property
    def chunks(self) -> Chunks:
        """The chunk rows of the slice."""
        return dict(islice(self.document.chunks.items(), self.start, self.stop))

    @property
    def extractions(self) -> list[Extraction]:
        """What was found in them."""
        return self.document.extractions[self.start : self.stop]

    def shortened(self, chunks: int) -> "Slice":
        """Return its first chunks only."""
        return replace(self, stop=min(self.stop, self.start + chunks))


async def load_slices(
    tasks: Sequence[Task], context: WorkerContext
) -> list[Slice | PreparedRowsMissingError]:
    """Read what is not committed yet of several tasks: texts, chunks and extraction results.

    Returns:
        For each task what it brings, or that a batch is not there or not extracted.
    """
    batches = await context.ledger.batches.results_of(tasks)

    def assemble() -> list[Slice | PreparedRowsMissingError]:
        return [_slice_or_error(task, batches[task.id]) for task in tasks]

    return await asyncio.to_thread(assemble)


def _slice_or_error(task: Task, batches: list[Batch]) -> Slice | PreparedRowsMissingError:
    try:
        document = _assemble(task, batches)
    except PreparedRowsMissingError as error:
        return error
    return Slice(document, start=task.committed_chunks, stop=len(document.chunks))


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
