"""A workspace of an installation: what its stores hold, and what its ledger and uploads add."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ops.client.session import complain
from ops.migrate.errors import SourceUnreadableError
from ops.migrate.fingerprint import sha256_of
from ops.migrate.folder.source import FolderSource
from ops.migrate.history.items import HistoryItem, Upload
from ops.migrate.live.snapshot import Snapshot
from ops.migrate.stores_source import StoresSource
from shared.errors import ObjectNotFoundError
from shared.ids import ObjectKey
from shared.ledger.history_records import HistoryEntry, TaskRecord
from shared.objects.base import ObjectStore
from worker.commit.operations import Operation

_PIECE_BYTES = 4 * 1024 * 1024
# What a slow line takes in much less than the hour after which the cleaner looks.
_BATCH_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class InstalledSource:
    """See `Source`; nobody else may commit into the workspace while it is read."""

    contents: StoresSource | FolderSource | Snapshot
    entries: Callable[[], AsyncIterator[list[HistoryEntry]]]
    """Gives the documents with their tasks, then the edits, some dozens at a time."""
    objects: ObjectStore
    _told: set[str] = field(default_factory=set)
    """The lost uploads that a person knows of: they are met at each reading."""

    @property
    def embedding_model(self) -> str:
        """What its vectors were made with."""
        return self.contents.embedding_model

    def dimension(self) -> int | None:
        """Return the length of its vectors."""
        return self.contents.dimension()

    def fingerprint(self) -> str:
        """Return what changes whenever the stores' contents do."""
        return self.contents.fingerprint()

    def operations(self) -> AsyncIterator[Operation]:
        """Give what the stores hold."""
        return self.contents.operations()

    async def history(self) -> AsyncIterator[HistoryItem]:
        """Give each page of documents behind the uploads that their tasks refer to.

        Raises:
            SourceUnreadableError: an upload that waits to be read is not there, or damaged.
            UnavailableError: the ledger or the store of uploads is away.
        """
        async for page in _in_batches(self.entries()):
            lost = set()
            for task in _with_uploads(page):
                try:
                    async with self.objects.as_file(ObjectKey(task.object_key or "")) as path:
                        if await asyncio.to_thread(sha256_of, path) == task.sha256:
                            yield _upload(task, path)
                            continue
                        what = "is damaged"
                except ObjectNotFoundError:
                    what = "is not there"
                self._tell_lost(task, what)
                lost.add(task.object_key)
            yield [_without(entry, lost) for entry in page] if lost else page

    def _tell_lost(self, task: TaskRecord, what: str) -> None:
        key = task.object_key or ""
        if not task.state.is_final:
            sentence = (
                f"The upload {key} {what}, and its task has not ended; see that DATA_DIR or "
                "S3_BUCKET are those of the API, or let the workers end the task."
            )
            raise SourceUnreadableError(sentence)
        if key not in self._told:
            self._told.add(key)
            complain(f"The upload {key} {what}: its document is taken along without it.")


async def _in_batches(
    pages: AsyncIterator[list[HistoryEntry]],
) -> AsyncIterator[list[HistoryEntry]]:
    """Cut pages so that little is uploaded before the tasks that keep it from being cleaned up."""
    async for page in pages:
        batch: list[HistoryEntry] = []
        size_bytes = 0
        for entry in page:
            batch.append(entry)
            size_bytes += sum(task.size_bytes for task in _with_uploads([entry]))
            if size_bytes >= _BATCH_BYTES:
                yield batch
                batch, size_bytes = [], 0
        if batch:
            yield batch


def _with_uploads(page: Iterable[HistoryEntry]) -> list[TaskRecord]:
    return [task for entry in page for task in entry.tasks if task.object_key is not None]


def _upload(task: TaskRecord, path: Path) -> Upload:
    return Upload(task.object_key or "", task.size_bytes, task.sha256, _pieces(path))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _without(entry: HistoryEntry, lost: set[str | None]) -> HistoryEntry:
    """Let no task refer to bytes that are gone."""
    tasks = [
        task.model_copy(update={"object_key": None}) if task.object_key in lost else task
        for task in entry.tasks
    ]
    return entry.model_copy(update={"tasks": tasks})
