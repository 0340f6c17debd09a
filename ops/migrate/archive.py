"""One workspace in one file: the portable format of backups.

    ragfleet-archive-1 and a line feed
    frame*    kind (4 letters), length (8 bytes), BLAKE2b of the content (16 bytes), content

Numbers are little-endian. The first frame is `HEAD`, JSON about where it came from. Each `OPER` has
operations as a journal keeps them (`worker/commit/encoding.py`: compressed rows, plain vectors).
Behind them is what the ledger and the uploads hold: each `FILE` is JSON about an upload, the `PART`
frames behind it are its bytes, each `HIST` is compressed JSON about documents and their tasks. The
last one is `TAIL`, JSON with counts and checksums: without it, something is missing. It is written
and read from the beginning to the end, with one frame in memory.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO

from ops.migrate.errors import ArchiveDamagedError, SourceUnreadableError
from ops.migrate.history.encoding import (
    decode_entries,
    decode_upload,
    encode_entries,
    encode_upload,
)
from ops.migrate.history.items import HistoryItem, Upload
from ops.migrate.tally import Sum, Tally
from shared.objects.threads import given_by_threads, run_to_its_end
from worker.commit.encoding import UnstorableRecordError, decode, encode, is_readable
from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

_MAGIC = b"ragfleet-archive-1\n"
_FRAME = struct.Struct("<4sQ16s")
_HEAD, _OPERATIONS, _TAIL = b"HEAD", b"OPER", b"TAIL"
_UPLOAD, _PIECE, _ENTRIES = b"FILE", b"PART", b"HIST"
# Parts of a journal have 8 MiB and one row more; a larger one is a damaged length.
_MAX_FRAME_BYTES = 1 << 31
_NUMBER_BYTES = 4
_PIECE_BYTES = 16 << 20
# What the text of a part may grow to: a row with the text of a very large document.
LONGEST_TEXT_BYTES = 320 << 20
# Less than this grows to no more: zlib makes a thousandth of a text at best.
_SURELY_SHORT_BYTES = LONGEST_TEXT_BYTES // 1100
# Where operations that fill a workspace put their rows, and how many fields those have.
_SHAPES: dict[Kind, tuple[frozenset[str], int]] = {
    Kind.PUT_ROWS: (frozenset(ROW_STORAGES), 2),
    Kind.PUT_NODES: (frozenset({GRAPH_STORAGE}), 2),
    Kind.PUT_EDGES: (frozenset({GRAPH_STORAGE}), 3),
    Kind.PUT_VECTORS: (frozenset(VECTOR_STORAGES), 2),
    Kind.PUT_STATUS: (frozenset({STATUS_STORAGE}), 2),
}


@dataclass(frozen=True)
class Head:
    """Where an archive came from."""

    workspace: str
    dimension: int
    """Of all vectors."""
    embedding_model: str
    """Empty: the source does not say."""
    made_at: str
    """ISO 8601, UTC."""
    version: str
    """Of the program that wrote it."""


class ArchiveWriter:
    """Writes an archive; it is whole when `finish` was called."""

    def __init__(self, file: IO[bytes], head: Head) -> None:
        self._file = file
        self._dimension = head.dimension
        self._tally = Tally()
        file.write(_MAGIC)
        self._frame(_HEAD, json.dumps(asdict(head)).encode())

    def write(self, operation: Operation) -> None:
        """Add an operation.

        Raises:
            UnstorableRecordError: no store would take it.
        """
        self._tally.add(operation)
        for part in encode([operation], dimension=self._dimension):
            if len(part) > _SURELY_SHORT_BYTES and not is_readable(part, LONGEST_TEXT_BYTES):
                raise UnstorableRecordError
            self._frame(_OPERATIONS, part)

    async def write_history(self, item: HistoryItem) -> None:
        """Add an upload, or documents with their tasks; all operations were written before.

        Raises:
            SourceUnreadableError: the upload is not as long as it should be.
        """
        self._tally.add_history(item)
        if not isinstance(item, Upload):
            self._frame(_ENTRIES, encode_entries(item))
            return
        self._frame(_UPLOAD, encode_upload(item.key, item.size_bytes, item.sha256))
        left_bytes = item.size_bytes
        async for piece in item.pieces:
            await run_to_its_end(None, self._frame, _PIECE, piece)
            left_bytes -= len(piece)
        if left_bytes:
            raise SourceUnreadableError(
                f"The upload {item.key} has another size than the ledger says."
            )

    def finish(self) -> dict[str, Sum]:
        """Write the last frame, and return what is in the archive, by section."""
        sums = self._tally.sums()
        self._frame(_TAIL, _tail(sums))
        self._file.flush()
        return sums

    def _frame(self, kind: bytes, content: bytes) -> None:
        self._file.write(_FRAME.pack(kind, len(content), _digest(content)))
        self._file.write(content)


class ArchiveReader:
    """Reads an archive; what it promised in its tail was there when the last operation is given."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read the head.

        Raises:
            ArchiveDamagedError: this is no archive, or one of a newer version.
        """
        self._file = file
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ArchiveDamagedError("This is no archive that this version of ragfleet can read.")
        kind, content = self._next()
        if kind != _HEAD:
            raise ArchiveDamagedError
        try:
            self.head = Head(**json.loads(content))
        except (TypeError, ValueError, RecursionError):
            raise ArchiveDamagedError("A newer version of ragfleet wrote this archive.") from None
        self._last: tuple[bytes, bytes] = (b"", b"")
        if not isinstance(self.head.dimension, int) or self.head.dimension < 0:
            raise ArchiveDamagedError
        self.sums: dict[str, Sum] = {}
        """What is in the archive, by section; known when all operations were read."""

    def operations(self) -> Iterator[Operation]:
        """Give all operations in their order.

        Raises:
            ArchiveDamagedError: something was changed or is missing.
        """
        tally = Tally()
        while (frame := self._next())[0] == _OPERATIONS:
            for operation in _decoded(frame[1], dimension=self.head.dimension):
                tally.add(operation)
                yield operation
        for item in self._items(frame):
            tally.add_history(item)
        kind, content = self._last
        self.sums = tally.sums()
        if kind != _TAIL or content != _tail(self.sums) or self._file.read(1):
            raise ArchiveDamagedError

    def history(self) -> Iterator[HistoryItem]:
        """Give uploads, and documents with their tasks, without a look at the operations.

        Raises:
            ArchiveDamagedError: something of them was changed or is missing.
        """
        while (header := self._header())[0] == _OPERATIONS:
            self._pass_over(header[1])
        yield from self._items(self._frame(*header))

    def _items(self, frame: tuple[bytes, bytes]) -> Iterator[HistoryItem]:
        """Give the items from this frame on; `_last` is then the one behind them."""
        while frame[0] in {_UPLOAD, _ENTRIES}:
            if frame[0] == _ENTRIES:
                yield decode_entries(frame[1])
            else:
                key, size_bytes, sha256 = decode_upload(frame[1])
                pieces = self._pieces(size_bytes, sha256)
                yield Upload(key, size_bytes, sha256, given_by_threads(pieces))
                for _ in pieces:  # whatever nobody wanted
                    pass
            frame = self._next()
        self._last = frame

    def _pieces(self, left_bytes: int, sha256: str) -> Iterator[bytes]:
        digest = hashlib.sha256()
        while left_bytes > 0:
            kind, content = self._next()
            left_bytes -= len(content)
            if kind != _PIECE or not content or left_bytes < 0:
                raise ArchiveDamagedError
            digest.update(content)
            yield content
        if digest.hexdigest() != sha256:
            raise ArchiveDamagedError

    def _next(self) -> tuple[bytes, bytes]:
        return self._frame(*self._header())

    def _header(self) -> tuple[bytes, int, bytes]:
        kind, length, digest = _FRAME.unpack(self._exactly(_FRAME.size))
        if length > _MAX_FRAME_BYTES:
            raise ArchiveDamagedError
        return kind, length, digest

    def _frame(self, kind: bytes, length: int, digest: bytes) -> tuple[bytes, bytes]:
        content = self._exactly(length)
        if _digest(content) != digest:
            raise ArchiveDamagedError
        return kind, content

    def _pass_over(self, length: int) -> None:
        if self._file.seekable():
            self._file.seek(length, os.SEEK_CUR)
        else:
            self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        # In pieces: a made-up length must not take memory that the file does not fill.
        pieces = []
        while size and (piece := self._file.read(min(size, _PIECE_BYTES))):
            pieces.append(piece)
            size -= len(piece)
        if size:
            raise ArchiveDamagedError("The archive ends too early; use another copy of it.")
        return b"".join(pieces)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _tail(sums: Mapping[str, Sum]) -> bytes:
    return json.dumps({section: asdict(found) for section, found in sums.items()}).encode()


def _decoded(part: bytes, *, dimension: int) -> list[Operation]:
    """Read a part's operations; checksums tell of accidents, not of what somebody made up.

    Raises:
        ArchiveDamagedError: it has none, or others than those that fill a workspace.
    """
    try:
        operations = list(decode(part, longest_text_bytes=LONGEST_TEXT_BYTES))
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error, struct.error):
        raise ArchiveDamagedError from None
    if not all(_fills_a_workspace(operation, dimension) for operation in operations):
        raise ArchiveDamagedError
    return operations


def _fills_a_workspace(operation: Operation, dimension: int) -> bool:
    storages, fields = _SHAPES.get(operation.kind, (frozenset(), 0))
    has_vectors = operation.kind is Kind.PUT_VECTORS
    return (
        operation.storage in storages
        and isinstance(operation.rows, list)
        and all(_is_row(row, fields) for row in operation.rows)
        and len(operation.vectors) == len(operation.rows) * has_vectors
        and {len(vector) for vector in operation.vectors} <= {dimension * _NUMBER_BYTES}
    )


def _is_row(row: object, fields: int) -> bool:
    if not isinstance(row, list) or len(row) != fields:
        return False
    *names, content = row
    return isinstance(content, dict) and all(isinstance(name, str) for name in names)
