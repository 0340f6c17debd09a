"""What a migration reads from: operations that would fill an empty workspace."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.migrate.archive import ArchiveReader
from ops.migrate.errors import SourceNotFoundError, SourceUnreadableError
from ops.migrate.fingerprint import fingerprint_of
from ops.migrate.folder.source import FolderSource
from ops.migrate.history.items import HistoryItem
from ops.migrate.places import Place, PlaceKind
from worker.commit.operations import Operation


class Source(Protocol):
    """A workspace that can be read from the beginning as often as wanted, the same each time."""

    @property
    def embedding_model(self) -> str:
        """What its vectors were made with; empty: it does not say."""

    def dimension(self) -> int | None:
        """Return the length of its vectors; None: there are none."""

    def operations(self) -> AsyncIterator[Operation]:
        """Give everything, in an order in which readers of the target are harmed least."""

    def history(self) -> AsyncIterator[HistoryItem]:
        """Give what an installation knows beside it: uploads, documents with their tasks."""

    def fingerprint(self) -> str:
        """Return what changes whenever the source does."""


@dataclass(frozen=True)
class ArchiveSource:
    """A workspace in an archive."""

    path: Path

    @property
    def embedding_model(self) -> str:
        """What its vectors were made with."""
        with self._opened() as reader:
            return reader.head.embedding_model

    def dimension(self) -> int | None:
        """Return the length of its vectors."""
        with self._opened() as reader:
            return reader.head.dimension or None

    async def operations(self) -> AsyncIterator[Operation]:
        """Give what is in the archive.

        Raises:
            ArchiveDamagedError: it is damaged, which may show at the end only.
        """
        with self._opened() as reader:
            for operation in reader.operations():
                yield operation
                await asyncio.sleep(0)  # a lease has to be renewed meanwhile

    async def history(self) -> AsyncIterator[HistoryItem]:
        """Give what lies behind the operations.

        Raises:
            ArchiveDamagedError: it is damaged.
        """
        with self._opened() as reader:
            for item in reader.history():
                yield item
                await asyncio.sleep(0)  # a lease has to be renewed meanwhile

    def fingerprint(self) -> str:
        """Return the file's size and time."""
        return fingerprint_of([self.path])

    @contextmanager
    def _opened(self) -> Iterator[ArchiveReader]:
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise SourceNotFoundError(f"{self.path} cannot be read: {error.strerror}.") from None
        with file:
            yield ArchiveReader(file)


def open_file(place: Place, workspace: str) -> Source:
    """Return the source in a folder or an archive.

    Args:
        place: where it is.
        workspace: which one of a folder; empty: the one without a name.

    Raises:
        SourceNotFoundError: there is nothing.
        SourceUnreadableError: we may not look.
    """
    if place.kind is PlaceKind.FOLDER:
        _require_folder(place.path / workspace)
        return FolderSource.in_folder(place.path, workspace)
    return ArchiveSource(place.path)


def _require_folder(folder: Path) -> None:
    try:
        next(folder.iterdir(), None)
    except NotADirectoryError:
        sentence = f"{folder} is a file; write `archive:{folder}` when it is an archive of ours."
        raise SourceNotFoundError(sentence) from None
    except FileNotFoundError:
        pass  # told by whoever looks for LightRAG's files
    except OSError as error:
        sentence = f"{folder} cannot be read: {error.strerror}."
        raise SourceUnreadableError(sentence) from error
