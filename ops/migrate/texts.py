"""Texts that no archive and no PostgreSQL takes: those with a NUL, or with half a character."""

import asyncio
import mmap
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from ops.migrate.errors import SourceUnreadableError, UnstorableTextError
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import Source
from ops.migrate.tally import section_of
from worker.commit.operations import Operation

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_ROW = re.compile(rb'[\n{,]\s*"([^"\n]{1,300})":\s*\{')
_LOOK_BACK_BYTES = 1 << 20
_WINDOW_BYTES = 16 * 1024 * 1024
_ESCAPE_BYTES = 6


def is_storable_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8 and holds no NUL."""
    return "\0" not in text and (text.isascii() or _is_utf8(text))


async def checked(source: Source) -> AsyncIterator[Operation]:
    """Give a source's operations, each looked at before it is given.

    Raises:
        UnstorableTextError: a row holds what cannot be written; the sentence names it.
        SourceUnreadableError: the source is damaged.
    """
    if isinstance(source, FolderSource):
        await asyncio.to_thread(_require_whole_characters, source.folder)
    async for operation in source.operations():
        for *names, row in operation.rows:
            if not _is_storable([*names, row]):
                sentence = (
                    f"{_shown(names)} of {section_of(operation)} holds a NUL character or half a "
                    "character, which no store and no archive takes; nothing was written. Take it "
                    "out of a copy of the source, or delete that document there, and repeat."
                )
                raise UnstorableTextError(sentence)
        yield operation


def _require_whole_characters(folder: Path) -> None:
    """Look for halves of characters that are written as escapes in LightRAG's JSON files.

    Parsers put a question mark in their place without a word.

    Raises:
        UnstorableTextError: there is one; the sentence names the row.
        SourceUnreadableError: a file cannot be read.
    """
    try:
        for path in sorted(folder.glob("*.json")):
            if path.stat().st_size:
                with path.open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                    with mapped:
                        _require_whole(path.name, mapped)
    except OSError as error:
        sentence = f"{error.filename or folder} cannot be read: {error.strerror}."
        raise SourceUnreadableError(sentence) from error


def _require_whole(name: str, text: mmap.mmap) -> None:
    first_ended_at = -1  # where the first half of a pair ended, its second half must begin
    for begin, end in _windows(text):
        if first_ended_at < 0 and _HALF.search(text, begin, end) is None:
            continue
        for escape in _ESCAPE.finditer(text, begin, end):
            number = int(escape[1], 16) if escape[1] else 0
            is_second = 0xDC00 <= number < 0xE000
            if is_second != (first_ended_at == escape.start()) and (
                is_second or first_ended_at >= 0
            ):
                _refuse(name, text, escape.start())
            first_ended_at = escape.end() if 0xD800 <= number < 0xDC00 else -1
    if first_ended_at >= 0:
        _refuse(name, text, first_ended_at)


def _windows(text: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Cut a text where no escape is; what was read is given back, or it counts as our memory."""
    begin = 0
    while begin < len(text):
        end = min(begin + _WINDOW_BYTES, len(text))
        while end < len(text) and b"\\" in text[end - _ESCAPE_BYTES : end]:
            end += 1
        yield begin, end
        text.madvise(mmap.MADV_DONTNEED)
        begin = end


def _refuse(name: str, text: mmap.mmap, position: int) -> None:
    start = max(0, position - _LOOK_BACK_BYTES)
    rows = _ROW.findall(text[start:position])
    row = f"row {rows[-1].decode(errors='replace')}, " if rows else ""
    sentence = (
        f"{name} holds half a character ({row}byte {position}), which no store takes; nothing was "
        "written. Take it out of a copy of the source and repeat."
    )
    raise UnstorableTextError(sentence)


def _shown(names: list[str]) -> str:
    return " – ".join(name.encode(errors="replace").decode() for name in names).replace("\0", "?")


def _is_storable(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return is_storable_text(value)
    if isinstance(value, dict):
        return all(map(_is_storable, value)) and all(map(_is_storable, value.values()))
    return not isinstance(value, list) or all(map(_is_storable, value))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
