"""One workspace in one file: the portable format of backups.

    ragfleet-archive-1 and a line feed
    frame*    kind (4 letters), length (8 bytes), BLAKE2b of the content (16 bytes), content

Numbers are little-endian. The first frame is `HEAD`, JSON about where it came from. Each `OPER` has
operations as a journal keeps them (`worker/commit/encoding.py`: compressed rows, plain vectors).
The last one is `TAIL`, JSON with counts and checksums: without it, something is missing. It is
written and read from the beginning to the end, with one frame in memory.
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO

from ops.migrate.errors import ArchiveDamagedError
from ops.migrate.tally import Sum, Tally
from worker.commit.encoding import decode, encode
from worker.commit.operations import Operation

_MAGIC = b"ragfleet-archive-1\n"
_FRAME = struct.Struct("<4sQ16s")
_HEAD, _OPERATIONS, _TAIL = b"HEAD", b"OPER", b"TAIL"
# Parts of a journal have 8 MiB and one row more; a larger one is a damaged length.
_MAX_FRAME_BYTES = 1 << 31


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
            self._frame(_OPERATIONS, part)

    def finish(self) -> None:
        """Write the last frame."""
        tail = {section: asdict(found) for section, found in self._tally.sums().items()}
        self._frame(_TAIL, json.dumps(tail).encode())
        self._file.flush()

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
        except TypeError:
            raise ArchiveDamagedError("A newer version of ragfleet wrote this archive.") from None
        self.sums: dict[str, Sum] = {}
        """What is in the archive, by section; known when all operations were read."""

    def operations(self) -> Iterator[Operation]:
        """Give all operations in their order.

        Raises:
            ArchiveDamagedError: something was changed or is missing.
        """
        tally = Tally()
        while (frame := self._next())[0] == _OPERATIONS:
            for operation in decode(frame[1]):
                tally.add(operation)
                yield operation
        kind, content = frame
        if kind != _TAIL:
            raise ArchiveDamagedError
        self.sums = {section: Sum(**found) for section, found in json.loads(content).items()}
        if tally.sums() != self.sums or self._file.read(1):
            raise ArchiveDamagedError

    def _next(self) -> tuple[bytes, bytes]:
        kind, length, digest = _FRAME.unpack(self._exactly(_FRAME.size))
        if length > _MAX_FRAME_BYTES:
            raise ArchiveDamagedError
        content = self._exactly(length)
        if _digest(content) != digest:
            raise ArchiveDamagedError
        return kind, content

    def _exactly(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) < size:
            raise ArchiveDamagedError("The archive ends too early; use another copy of it.")
        return found


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
