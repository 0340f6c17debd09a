"""What one task wants of the group that it is in, read from the ledger and bounded."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.ids import DocumentId
from shared.ledger.records import Outcome, Task, TaskKind
from worker.commit.prepared import PreparedRowsMissingError, Slice, load_slices
from worker.context import WorkerContext

# Beside its vector, what a changed record takes in the journal and in memory, in bytes: its
# description, sources and content. Measured on encyclopedia articles.
_RECORD_BYTES = 1500
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Work:
    """A task, and the chunks it adds; None: it only removes its document, or edits the graph."""

    task: Task
    piece: Slice | None

    @property
    def doc_id(self) -> DocumentId:
        """The document it is about."""
        assert self.task.doc_id is not None  # noqa: S101 - inserts and deletes are about one
        return self.task.doc_id

    @property
    def replaces(self) -> bool:
        """Whether what the stores hold of the document goes first."""
        if self.piece is None:
            return self.task.kind is TaskKind.DELETE
        return self.piece.is_first

    def size_bytes(self, *, dimension: int) -> int:
        """Estimate what it takes in the journal."""
        if self.piece is None:
            return _RECORD_BYTES
        names = {name for found in self.piece.extractions for name in found.nodes}
        pairs = {tuple(sorted(pair)) for found in self.piece.extractions for pair in found.edges}
        texts = sum(len(chunk["content"]) for chunk in self.piece.chunks.values())
        records = len(names) + len(pairs) + self.piece.stop - self.piece.start
        return records * (_RECORD_BYTES + _FLOAT_BYTES * dimension) + 3 * texts


async def load_works(
    tasks: Sequence[Task], context: WorkerContext
) -> list[Work | PreparedRowsMissingError]:
    """Read what several tasks want.

    Returns:
        For each task its work, or that its chunks are gone from the ledger.
    """
    inserts = [task for task in tasks if task.kind is TaskKind.INSERT]
    slices = dict(zip(inserts, await load_slices(inserts, context), strict=True))
    most = context.settings.limits.commit_max_chunks

    def work_of(task: Task) -> Work | PreparedRowsMissingError:
        piece = slices.get(task)
        if isinstance(piece, PreparedRowsMissingError):
            return piece
        return Work(task, None if piece is None else piece.shortened(most))

    return [work_of(task) for task in tasks]


def outcome_of(group: Sequence[Work]) -> Outcome:
    """Tell what becomes of the tasks when the group is in the stores."""
    outcome = Outcome()
    for work in group:
        if work.piece is None or work.piece.is_last:
            outcome.succeeded.append(work.task.id)
        else:
            outcome.advanced[work.task.id] = work.piece.stop
    return outcome


def fitting(group: Sequence[Work], *, dimension: int, limit_bytes: int) -> list[Work]:
    """Return those of the first works that one journal may hold; at least one."""
    taken: list[Work] = []
    size_bytes = 0
    for work in group:
        size_bytes += work.size_bytes(dimension=dimension)
        # A document that is cut in slices goes alone: its newer revision waits for all of it.
        sliced = work.piece is not None and not (work.piece.is_first and work.piece.is_last)
        if taken and (size_bytes > limit_bytes or sliced):
            break
        taken.append(work)
        if sliced:
            break
    return taken
