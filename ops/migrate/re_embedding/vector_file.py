"""Vectors by their texts, in a file that only grows: what was embedded before a kill is there.

    record*   BLAKE2b of the text (16 bytes), BLAKE2b of the vector (8 bytes), the vector

A vector is little-endian float32. A record that is cut off or damaged ends the file, and is written
anew.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO

from shared.errors import WorkspaceBusyError

_TEXT_DIGEST_BYTES, _VECTOR_DIGEST_BYTES, _NUMBER_BYTES = 16, 8, 4
_HEAD_BYTES = _TEXT_DIGEST_BYTES + _VECTOR_DIGEST_BYTES


class VectorFile:
    """An open file of vectors; a text costs some 150 bytes of memory."""

    def __init__(self, file: IO[bytes], *, dimension: int) -> None:
        """Read which texts are there, up to the first record that is not whole."""
        self._file = file
        self._size = dimension * _NUMBER_BYTES
        self._places: dict[bytes, int] = {}
        for digest, place in self._records():
            self._places[digest] = place
        self._end = len(self._places) * (_HEAD_BYTES + self._size)
        file.truncate(self._end)

    def __contains__(self, text: str) -> bool:
        return _digest(text) in self._places

    def __len__(self) -> int:
        return len(self._places)

    def add(self, texts: Sequence[str], vectors: Sequence[bytes]) -> None:
        """Add some vectors; they outlive this process.

        Raises:
            OSError: the disk is full.
            ValueError: a vector has another length.
        """
        records = []
        for text, vector in zip(texts, vectors, strict=True):
            if len(vector) != self._size:
                raise ValueError(len(vector))
            digest = _digest(text)
            if digest not in self._places:
                self._places[digest] = self._end
                self._end += _HEAD_BYTES + self._size
                records.append(digest + _checksum(vector) + vector)
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"".join(records))
        self._file.flush()

    def vector(self, text: str) -> bytes:
        """Return the vector of a text.

        Raises:
            KeyError: it was not embedded.
        """
        self._file.seek(self._places[_digest(text)] + _HEAD_BYTES)
        return self._file.read(self._size)

    def _records(self) -> Iterator[tuple[bytes, int]]:
        self._file.seek(0)
        place = 0
        while len(record := self._file.read(_HEAD_BYTES + self._size)) == _HEAD_BYTES + self._size:
            digest, vector = record[:_TEXT_DIGEST_BYTES], record[_HEAD_BYTES:]
            if _checksum(vector) != record[_TEXT_DIGEST_BYTES:_HEAD_BYTES]:
                return
            yield digest, place
            place += len(record)


@contextmanager
def open_vector_file(path: Path, *, dimension: int) -> Iterator[VectorFile]:
    """Open a file of vectors, or make it; nobody else has it meanwhile.

    Raises:
        WorkspaceBusyError: somebody else has it.
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            sentence = "The same texts are being embedded by another process; wait until it ends."
            raise WorkspaceBusyError(sentence) from None
        yield VectorFile(file, dimension=dimension)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_TEXT_DIGEST_BYTES).digest()


def _checksum(vector: bytes) -> bytes:
    return hashlib.blake2b(vector, digest_size=_VECTOR_DIGEST_BYTES).digest()
