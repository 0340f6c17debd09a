"""How much room an archive takes, known before it is written."""

import shutil
from collections import Counter
from pathlib import Path

from ops.migrate.errors import NoRoomError
from ops.migrate.history.encoding import encode_entries
from ops.migrate.history.items import HistoryItem, Upload
from ops.migrate.tally import section_of
from worker.commit.encoding import encode
from worker.commit.operations import Operation

# Packing all of a large workspace only to know its size would take as long as writing it.
_OPERATIONS_A_SAMPLE = 16
# Samples are not the whole: texts differ in how well they are packed.
_MARGIN = 1.1
_MEGABYTE = 1_000_000


class ArchiveSize:
    """Estimates it from some of the operations: rows are packed, vectors lie there as they are."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._operations: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._sampled_rows: Counter[str] = Counter()
        self._sampled_bytes: Counter[str] = Counter()
        self._uploaded_bytes = 0

    def add(self, operation: Operation) -> None:
        """Look at an operation; some are packed for it."""
        section = section_of(operation)
        if self._operations[section] % _OPERATIONS_A_SAMPLE == 0:
            packed = sum(map(len, encode([operation], dimension=self._dimension)))
            self._sampled_rows[section] += len(operation.rows)
            self._sampled_bytes[section] += packed
        self._operations[section] += 1
        self._rows[section] += len(operation.rows)

    def add_history(self, item: HistoryItem) -> None:
        """Look at an upload, or at documents with their tasks."""
        if isinstance(item, Upload):
            self._uploaded_bytes += item.size_bytes
        else:
            self._uploaded_bytes += len(encode_entries(item))

    def bytes(self) -> int:
        """Return how large the archive becomes, about."""
        return self._uploaded_bytes + int(
            _MARGIN
            * sum(
                self._sampled_bytes[section] * rows / max(1, self._sampled_rows[section])
                for section, rows in self._rows.items()
            )
        )

    def require_room(self, folder: Path) -> str:
        """Say how much room is needed and how much there is.

        Raises:
            NoRoomError: there is less.
            OSError: the folder is not there.
        """
        needed, free = self.bytes(), shutil.disk_usage(folder).free
        sentence = (
            f"The archive takes about {_megabytes(needed)} MB in {folder}; "
            f"{_megabytes(free)} MB are free."
        )
        if needed > free:
            raise NoRoomError(f"{sentence} Name another place for it.")
        return sentence


def _megabytes(size: int) -> str:
    return f"{max(0.1, size / _MEGABYTE):,.1f}"
