"""LightRAG's JSON files of rows, one row at a time: a file may be larger than memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from ops.migrate.folder.reading import readable

Row = dict[str, Any]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LOOK_BYTES = 4096


def rows_of(path: Path) -> Iterator[tuple[str, Row]]:
    """Give the rows of a `kv_store_*.json` with their ids, in the file's order.

    A missing or blank file has none, as LightRAG sees it.

    Raises:
        SourceUnreadableError: the file is no JSON object of objects.
    """
    if not path.exists():
        return
    with readable(path), path.open("rb") as file:
        if not _skip_to_text(file):
            return
        for key, row in ijson.kvitems(file, "", use_float=True):
            if not isinstance(row, dict):
                raise TypeError(key)
            yield key, row


def _skip_to_text(file: IO[bytes]) -> bool:
    """Pass over a byte order mark; tell whether anything but blanks begins after it.

    Raises:
        ValueError: it is no object.
    """
    start = file.read(_LOOK_BYTES)
    mark = len(_BYTE_ORDER_MARK) if start.startswith(_BYTE_ORDER_MARK) else 0
    file.seek(mark)
    text = start[mark:].lstrip()
    if text and not text.startswith(b"{"):
        raise ValueError
    return bool(text)
