"""NanoVectorDB's file: rows as JSON, and all their vectors in one base64 text at the end.

The text is larger than the rest, and a JSON parser would hold it whole. So the rows are parsed from
what is before it, and the vectors are cut out of the file where they lie.
"""

import base64
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson

from ops.migrate.folder.reading import readable

Row = dict[str, Any]

_MATRIX = b'"matrix":'
_FLOAT_BYTES = 4
# Base64 turns three bytes into four letters: three vectors end where a group of letters does.
_VECTORS_A_READ = 300
_WINDOW_BYTES = 16 * 1024 * 1024
# The id, and what LightRAG derives from the vector or keeps for itself.
_DERIVED = frozenset({"__id__", "__write_seq__", "__created_at__", "vector", "__vector__"})


@dataclass(frozen=True)
class VectorFile:
    """One `vdb_*.json`, open for reading."""

    path: Path
    dimension: int
    _mapped: mmap.mmap
    _matrix_start: int
    """Where the letters of the vectors begin."""
    _matrix_end: int

    def rows(self) -> Iterator[tuple[str, Row, bytes]]:
        """Give ids, rows and vectors (little-endian float32 of unit length), in the file's order.

        Raises:
            SourceUnreadableError: the file is damaged, or rows and vectors are not as many.
        """
        with readable(self.path):
            head = _UntilMatrix(self._mapped, self._matrix_start)
            rows = ijson.items(head, "data.item", use_float=True)
            for row, vector in zip(rows, self._vectors(), strict=True):
                kept = {name: value for name, value in row.items() if name not in _DERIVED}
                yield row["__id__"], kept, vector

    def _vectors(self) -> Iterator[bytes]:
        size = self.dimension * _FLOAT_BYTES
        letters = size * _VECTORS_A_READ // 3 * 4
        for start in range(self._matrix_start, self._matrix_end, letters):
            block = self._mapped[start : min(start + letters, self._matrix_end)]
            self._mapped.madvise(mmap.MADV_DONTNEED)  # what was read counts as ours otherwise
            numbers = base64.b64decode(block, validate=True)
            if len(numbers) % size:
                raise ValueError(self.path.name)
            for offset in range(0, len(numbers), size):
                yield numbers[offset : offset + size]


@contextmanager
def open_vectors(path: Path) -> Iterator[VectorFile | None]:
    """Open a vector file; None: there is none.

    Raises:
        SourceUnreadableError: it is not one.
    """
    if not path.exists() or not path.stat().st_size:
        yield None
        return
    with readable(path):
        file = path.open("rb")
    with file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        with readable(path):
            found = _look(path, mapped)
        yield found


def _look(path: Path, mapped: mmap.mmap) -> VectorFile:
    # Base64 has no quotes, so the last such name is the real one; texts that hold it are before.
    named = _last(mapped, _MATRIX)
    start = mapped.find(b'"', named + len(_MATRIX)) + 1
    end = _quote_after(mapped, start)
    if named < 0 or not start or end < 0:
        raise ValueError(path.name)
    dimension = next(ijson.items(_UntilMatrix(mapped, start), "embedding_dim"))
    return VectorFile(path, dimension, mapped, start, end)


def _last(mapped: mmap.mmap, word: bytes) -> int:
    """Look for the last such word, without holding all of the file that was looked through."""
    for stop in range(len(mapped), 0, -_WINDOW_BYTES):
        found = mapped.rfind(word, max(0, stop - _WINDOW_BYTES), stop + len(word) - 1)
        mapped.madvise(mmap.MADV_DONTNEED)
        if found >= 0:
            return found
    return -1


def _quote_after(mapped: mmap.mmap, start: int) -> int:
    """Look for the next quote, as above."""
    for begin in range(start, len(mapped), _WINDOW_BYTES):
        found = mapped.find(b'"', begin, begin + _WINDOW_BYTES)
        mapped.madvise(mmap.MADV_DONTNEED)
        if found >= 0:
            return found
    return -1


class _UntilMatrix:
    """The file's text, as if the matrix were empty and the last thing in it."""

    def __init__(self, mapped: mmap.mmap, end: int) -> None:
        self._mapped = mapped
        self._end = end
        self._at = 0
        self._rest = b'"}'

    def read(self, size: int = -1) -> bytes:
        if self._at < self._end:
            stop = self._end if size < 0 else min(self._at + size, self._end)
            piece, self._at = self._mapped[self._at : stop], stop
            return piece
        rest, self._rest = self._rest, b""
        return rest
