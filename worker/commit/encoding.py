"""How operations are kept in the journal: checked, and in parts of a few megabytes."""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from shared.errors import AppError
from worker.commit.operations import Kind, Operation

# PostgreSQL takes values up to 1 GB, but each is held in memory whole, here and there.
PART_BYTES = 8 * 1024 * 1024
_COMPRESSION_LEVEL = 1  # the network and the disk are faster than a higher one
NO_LIMITS: Mapping[str, int] = MappingProxyType({})
_HEADER = struct.Struct("<I")


class UnstorableRecordError(AppError):
    """The document leads to a record that no store takes; see the log, then change the document."""

    code = "unstorable_record"


def encode(
    operations: Iterable[Operation], *, dimension: int, longest_ids: Mapping[str, int] = NO_LIMITS
) -> list[bytes]:
    """Write operations down, in parts of about `PART_BYTES`.

    Args:
        operations: in the order in which they are applied.
        dimension: of the workspace's vectors.
        longest_ids: by storage, the characters of a row's id that it takes; others take any.

    Raises:
        UnstorableRecordError: an operation would fail for ever when it is applied.
    """
    parts: list[bytes] = []
    texts: list[bytes] = []
    blocks: list[bytes] = []
    size = 0
    for operation in operations:
        _check_ids(operation, longest_ids)
        text, block = _checked(operation), _block(operation, dimension)
        if texts and size + len(text) + len(block) > PART_BYTES:
            parts.append(_part(texts, blocks))
            texts, blocks, size = [], [], 0
        texts.append(text)
        blocks.append(block)
        size += len(text) + len(block)
    if texts:
        parts.append(_part(texts, blocks))
    return parts


def decode(part: bytes, *, longest_text_bytes: int = 0) -> Iterator[Operation]:
    """Read the operations of a part back.

    Args:
        part: as `encode` made it.
        longest_text_bytes: of its text when it is no longer compressed; 0: any, for parts of ours.

    Raises:
        ValueError: its text is longer.
    """
    (length,) = _HEADER.unpack_from(part)
    start = _HEADER.size + length
    if longest_text_bytes:
        text = _decompressed(part[_HEADER.size : start], longest_text_bytes)
    else:
        text = zlib.decompress(part[_HEADER.size : start])
    for kind, storage, rows, vector_bytes in json.loads(text):
        vectors: tuple[bytes, ...] = ()
        if vector_bytes:
            ends = range(start, start + vector_bytes * len(rows), vector_bytes)
            vectors = tuple(part[end : end + vector_bytes] for end in ends)
            start += vector_bytes * len(rows)
        yield Operation(Kind(kind), storage, rows, vectors)


def is_readable(part: bytes, longest_text_bytes: int) -> bool:
    """Tell whether `decode` takes a part under this limit."""
    (length,) = _HEADER.unpack_from(part)
    try:
        _decompressed(part[_HEADER.size : _HEADER.size + length], longest_text_bytes)
    except ValueError:
        return False
    return True


def _decompressed(packed: bytes, longest_bytes: int) -> bytes:
    """Decompress a text that may be made to fill the memory.

    Raises:
        ValueError: it is longer, or does not end.
    """
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(packed, longest_bytes)
    if not unpacking.eof:
        raise ValueError(longest_bytes)
    return text


def encode_one(operation: Operation) -> bytes:
    """Write one operation down as it is, for a person to look at."""
    return _part([_text(operation)], [b"".join(operation.vectors)])


def _part(texts: list[bytes], blocks: list[bytes]) -> bytes:
    packed = zlib.compress(b"[" + b",".join(texts) + b"]", _COMPRESSION_LEVEL)
    return _HEADER.pack(len(packed)) + packed + b"".join(blocks)


def _text(operation: Operation) -> bytes:
    vector_bytes = len(operation.vectors[0]) if operation.vectors else 0
    fields = [operation.kind, operation.storage, operation.rows, vector_bytes]
    # NaN is no JSON: whoever reads it back elsewhere stumbles over it.
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _checked(operation: Operation) -> bytes:
    try:
        text = _text(operation)
    except ValueError:  # half a character too
        raise UnstorableRecordError from None
    if b"\\u0000" in text and _has_nul(operation.rows):
        raise UnstorableRecordError
    return text


def _check_ids(operation: Operation, longest_ids: Mapping[str, int]) -> None:
    longest = longest_ids.get(operation.storage)
    if longest is None or operation.kind is not Kind.PUT_ROWS:
        return
    if any(len(key) > longest for key, _ in operation.rows):
        raise UnstorableRecordError


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_has_nul, value)) or any(map(_has_nul, value.values()))
    return isinstance(value, list) and any(map(_has_nul, value))


def _block(operation: Operation, dimension: int) -> bytes:
    block = b"".join(operation.vectors)
    if not operation.vectors:
        return block
    numbers = np.frombuffer(block, dtype="<f4")
    if numbers.size != dimension * len(operation.rows) or not np.isfinite(numbers).all():
        raise UnstorableRecordError
    return block
