"""Documents, tasks and descriptions of uploads as bytes of an archive."""

import json
import zlib
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from ops.migrate.errors import ArchiveDamagedError
from shared.ledger.history_records import HistoryEntry

# Some hundred documents with their tasks are kilobytes; more is made up to fill our memory.
_MAX_BYTES = 1 << 28
_ENTRIES = TypeAdapter(list[HistoryEntry])


def encode_entries(entries: Sequence[HistoryEntry]) -> bytes:
    """Return entries as compressed JSON."""
    return zlib.compress(_ENTRIES.dump_json(list(entries)), level=1)


def decode_entries(content: bytes) -> list[HistoryEntry]:
    """Read entries back.

    Raises:
        ArchiveDamagedError: they are none, or nothing that a ledger would have said.
    """
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(content, _MAX_BYTES)
        if not inflating.eof:
            raise ArchiveDamagedError
        return _ENTRIES.validate_json(text)
    except (zlib.error, ValidationError):
        raise ArchiveDamagedError from None


def encode_upload(key: str, size_bytes: int, sha256: str) -> bytes:
    """Return what an archive says of an upload before its bytes."""
    return json.dumps({"key": key, "size_bytes": size_bytes, "sha256": sha256}).encode()


def decode_upload(content: bytes) -> tuple[str, int, str]:
    """Read key, size in bytes and SHA-256 of an upload.

    Raises:
        ArchiveDamagedError: they are not there.
    """
    try:
        found = json.loads(content)
        key, size_bytes, sha256 = found["key"], found["size_bytes"], found["sha256"]
    except (ValueError, KeyError, TypeError):
        raise ArchiveDamagedError from None
    if not (isinstance(key, str) and isinstance(size_bytes, int) and isinstance(sha256, str)):
        raise ArchiveDamagedError
    return key, size_bytes, sha256
