"""The log files of supervised processes: opening with rotation, and their last lines."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

MAX_SIZE_BYTES = 10 * 1024 * 1024  # a week of a quiet system; one older file is kept beside it
TAIL_SIZE_BYTES = 8 * 1024  # enough for the traceback that ends a failed start
SHORTEST_SECRET = 4  # shorter ones would blank out ordinary words


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, setting a full one aside as `<name>.log.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_SIZE_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def tail(path: Path, *, lines: int = 15, since_bytes: int = 0) -> str:
    """The last `lines` lines written after the offset `since_bytes`; empty when there is no log."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        size_bytes = log.seek(0, 2)
        start = since_bytes if since_bytes <= size_bytes else 0  # rotated meanwhile
        log.seek(max(start, size_bytes - TAIL_SIZE_BYTES))
        text = log.read().decode("utf-8", errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced, longest first so that none leaves a remainder."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    return text
