"""Two archives at the same place at the same time: one is written, whole, and the other refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.migrate.archive_places import ArchiveFile
from ops.migrate.errors import SourceUnreadableError, TargetNotEmptyError
from ops.migrate.exporting import check, export
from ops.migrate.history.items import HistoryItem
from worker.commit.operations import Kind, Operation


class Nobody:
    def advance(self, operation: Operation) -> None:
        """Nobody looks."""

    def advance_by(self, section: str, items: int) -> None:
        """Nor here."""


class Slow:
    """A source that gives its second row when it is told to."""

    embedding_model = ""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.error = error

    def dimension(self) -> int | None:
        return None

    def fingerprint(self) -> str:
        return ""

    async def operations(self) -> AsyncIterator[Operation]:
        yield Operation(Kind.PUT_ROWS, "full_docs", [["a", {"content": "x"}]])
        self.begun.set()
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        yield Operation(Kind.PUT_ROWS, "full_docs", [["b", {"content": "y"}]])

    async def history(self) -> AsyncIterator[HistoryItem]:
        yield []


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_two_at_once_do_not_write_into_one_file(tmp_path: Path) -> None:
    path, sources = tmp_path / "a.ragfleet", (Slow(), Slow())
    both = [
        asyncio.create_task(export(source, ArchiveFile(path), workspace="w", progress=Nobody()))
        for source in sources
    ]
    for source in sources:
        await source.begun.wait()
    for source in sources:
        source.may_end.set()
    ends = await asyncio.gather(*both, return_exceptions=True)

    assert [type(end) for end in ends if isinstance(end, Exception)] == [TargetNotEmptyError]
    assert (await check(ArchiveFile(path), Nobody()))["full_docs"].count == 2
    assert files_in(tmp_path) == [path]


async def test_a_source_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    source = Slow(SourceUnreadableError())
    source.may_end.set()

    with pytest.raises(SourceUnreadableError):
        await export(source, ArchiveFile(tmp_path / "a.ragfleet"), workspace="w", progress=Nobody())
    assert files_in(tmp_path) == []
