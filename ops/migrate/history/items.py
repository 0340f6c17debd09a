"""What travels beside LightRAG's data: uploads, and documents with their tasks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeAlias

from shared.ledger.history_records import HistoryEntry

HISTORY = "documents and tasks"
"""The section of documents, each with its tasks, and of edits."""
UPLOADS = "uploads"
SECTIONS = frozenset({HISTORY, UPLOADS})


@dataclass(frozen=True)
class Upload:
    """The bytes of one uploaded file; read `pieces` before the next item is asked for, or never."""

    key: str
    """Where the installation that it comes from keeps it."""
    size_bytes: int
    sha256: str
    pieces: AsyncIterator[bytes] = field(compare=False, repr=False)


HistoryItem: TypeAlias = Upload | list[HistoryEntry]
"""An upload comes before the tasks that refer to it."""


def counted(item: HistoryItem) -> tuple[str, int]:
    """Return the section of an item, and how many it counts for."""
    return (UPLOADS, 1) if isinstance(item, Upload) else (HISTORY, len(item))
