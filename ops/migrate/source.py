"""What a migration reads from: operations that would fill an empty workspace."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.migrate.archive import ArchiveReader
from ops.migrate.archive_places import ReadableArchive, archive_at
from ops.migrate.errors import SourceNotFoundError, SourceUnreadableError
from ops.migrate.folder.source import FolderSource
from ops.migrate.history.items import HistoryItem
from ops.migrate.places import Place, PlaceKind
from shared.objects.threads import given_by_threads, in_threads
from shared.settings import Settings
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

    archive: ReadableArchive

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
        async with in_threads(self._opened()) as reader:
            async for operation in given_by_threads(reader.operations()):
                yield operation

    async def history(self) -> AsyncIterator[HistoryItem]:
        """Give what lies behind the operations.

        Raises:
            ArchiveDamagedError: it is damaged.
        """
        async with in_threads(self._opened()) as reader:
            async for item in given_by_threads(reader.history()):
                yield item

    def fingerprint(self) -> str:
        """Return what changes whenever the archive does."""
        return self.archive.fingerprint()

    @contextmanager
    def _opened(self) -> Iterator[ArchiveReader]:
        with self.archive.reader() as file:
            yield ArchiveReader(file)


def open_file(place: Place, workspace: str, settings: Settings) -> Source:
    """Return the source in a folder or an archive.

    Args:
        place: where it is.
        workspace: which one of a folder; empty: the one without a name.
        settings: they say where S3 is.

    Raises:
        SourceNotFoundError: there is nothing.
        SourceUnreadableError: we may not look.
    """
    if place.kind is PlaceKind.FOLDER:
        _require_folder(place.path / workspace)
        return FolderSource.in_folder(place.path, workspace)
    return ArchiveSource(archive_at(place, settings))


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
