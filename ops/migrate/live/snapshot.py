"""What a workspace held at one moment, put together on the local disk from what was read.

What was read first lies in a file as it came; what has changed since lies beside it, by item, and
takes its place. Reading it is reading files: no store is asked, nobody is kept waiting.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from ops.migrate.history.encoding import decode_entries, encode_entries
from ops.migrate.live.items import Items
from ops.migrate.sections import SECTIONS, Key, keys_of
from ops.migrate.tally import section_of
from shared.ledger.history_records import HistoryEntry
from worker.commit.encoding import decode, encode
from worker.commit.operations import Operation, cut

_LENGTH = struct.Struct("<Q")
# Replies of models come while documents are extracted, outside of every commit and its journal.
CACHE = "llm_response_cache"


class Snapshot:
    """See `Source`; filled by `add`, brought up to date by `change` and `remove`.

    Of the history, it has the documents and tasks; uploads stay where they are.
    """

    def __init__(self, folder: Path, *, dimension: int, embedding_model: str) -> None:
        """Make an empty one.

        Args:
            folder: on a disk with room for all of it; it is made.
            dimension: of the workspace's vectors.
            embedding_model: that made them.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.items = Items(folder)
        self.embedding_model = embedding_model
        self.changes = 0
        """So many items were read once more, each time that they may have changed."""
        self._dimension = dimension
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this object

    def close(self) -> None:
        """Let the files go; they have no names."""
        self._file.close()
        self.items.close()

    def add(self, operation: Operation) -> None:
        """Add what was read first.

        Raises:
            UnstorableRecordError: no store would take it.
        """
        for part in self._encoded(operation):
            self._file.write(_LENGTH.pack(len(part)))
            self._file.write(part)
        if section_of(operation) == CACHE:
            self.items.note_read(CACHE, keys_of(operation))

    def change(self, operation: Operation) -> None:
        """Let items be what they are now, whatever they were."""
        section, keys = section_of(operation), keys_of(operation)
        self.items.change(section, zip(keys, map(self._alone, _rows_of(operation)), strict=True))
        self.changes += len(keys)
        if section == CACHE:
            self.items.note_read(CACHE, keys)

    def remove(self, section: str, keys: Sequence[Key]) -> None:
        """Let items be gone."""
        self.items.change(section, ((key, None) for key in keys))
        self.changes += len(keys)

    def add_history(self, page: Sequence[HistoryEntry]) -> None:
        """Add documents with their tasks, as they are while nobody commits."""
        self.items.add_history(encode_entries(page))

    async def entries(self) -> AsyncIterator[list[HistoryEntry]]:
        """Give them back, page by page."""
        for page in self.items.history():
            yield decode_entries(page)

    def dimension(self) -> int:
        """Return the length of its vectors."""
        return self._dimension

    def fingerprint(self) -> str:
        """Return the same always: nobody else can change it."""
        return ""

    async def operations(self) -> AsyncIterator[Operation]:
        """Give everything as it is now, in the order of the sections."""
        left = list(SECTIONS)
        for operation in self._read_first():
            section = section_of(operation)
            while left[0] != section:
                for changed in self._changed(left.pop(0)):
                    yield changed
            if unchanged := self._unchanged(operation):
                yield unchanged
            await asyncio.sleep(0)  # leases have to be renewed meanwhile
        for section in left:
            for changed in self._changed(section):
                yield changed
                await asyncio.sleep(0)

    def _read_first(self) -> Iterator[Operation]:
        self._file.seek(0)
        while header := self._file.read(_LENGTH.size):
            yield from decode(self._file.read(*_LENGTH.unpack(header)))

    def _unchanged(self, operation: Operation) -> Operation | None:
        keys = keys_of(operation)
        changed = self.items.changed(section_of(operation), keys)
        if not changed:
            return operation
        kept = [number for number, key in enumerate(keys) if key not in changed]
        rows = [operation.rows[number] for number in kept]
        vectors = tuple(operation.vectors[number] for number in kept if operation.vectors)
        return Operation(operation.kind, operation.storage, rows, vectors) if rows else None

    def _changed(self, section: str) -> Iterator[Operation]:
        kind, storage = SECTIONS[section]
        vectors: dict[str, bytes] = {}

        def rows() -> Iterator[list[object]]:
            for put in self.items.puts(section):
                [operation] = decode(put)
                [row] = operation.rows
                if operation.vectors:
                    [vectors[row[0]]] = operation.vectors
                yield row

        for operation in cut(kind, storage, rows()):
            found = tuple(vectors.pop(row[0]) for row in operation.rows) if vectors else ()
            yield Operation(kind, storage, operation.rows, found)

    def _alone(self, operation: Operation) -> bytes:
        [part] = self._encoded(operation)
        return part

    def _encoded(self, operation: Operation) -> list[bytes]:
        return encode([operation], dimension=self._dimension)


def _rows_of(operation: Operation) -> Iterator[Operation]:
    vectors = operation.vectors
    for number, row in enumerate(operation.rows):
        yield Operation(operation.kind, operation.storage, [row], vectors[number : number + 1])
