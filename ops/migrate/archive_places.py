"""Where an archive lies: in a file, or in a bucket of S3."""

import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from ops.migrate.errors import SourceNotFoundError, TargetNotEmptyError, TargetUnwritableError
from ops.migrate.fingerprint import fingerprint_of
from ops.migrate.naming import give_name
from ops.migrate.places import Place
from shared.errors import SettingsError
from shared.settings import Settings


class ReadableArchive(Protocol):
    """One archive that does not change; all of this blocks."""

    def reader(self) -> AbstractContextManager[IO[bytes]]:
        """Open it to be read from its beginning.

        Raises:
            SourceNotFoundError: it is not there, or cannot be read.
        """

    def fingerprint(self) -> str:
        """Return what changes whenever it does."""


class ArchivePlace(ReadableArchive, Protocol):
    """Where one archive is, or is to be."""

    def require_free(self) -> None:
        """Look whether it may be written, before much is read for it.

        Raises:
            TargetNotEmptyError: there is one already.
            TargetUnwritableError: there is no folder for it.
        """

    def writer(self) -> AbstractContextManager[IO[bytes]]:
        """Open it to be written; it is there when the block ends without an exception.

        Raises:
            TargetNotEmptyError: there is one already, at the beginning or at the end.
        """

    def size_bytes(self) -> int:
        """Return how large it is."""


@dataclass(frozen=True)
class ArchiveFile:
    """An archive on a disk of this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def reader(self) -> Iterator[IO[bytes]]:
        """Open the file."""
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise SourceNotFoundError(f"{self.path} cannot be read: {error.strerror}.") from None
        with file:
            yield file

    def require_free(self) -> None:
        """Look at the disk."""
        if self.path.exists():
            raise self._taken()
        folder = self.path.absolute().parent
        if not folder.is_dir():
            raise TargetUnwritableError(f"There is no folder {folder}; make it, or correct --to.")

    @contextmanager
    def writer(self) -> Iterator[IO[bytes]]:
        """Write under another name, and give the file its own when it is on the disk."""
        self.require_free()
        # A name of its own: two that write to the same place must not write into one file.
        unfinished = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            with unfinished.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            try:
                give_name(unfinished, self.path)
            except FileExistsError:
                raise self._taken() from None
        finally:
            unfinished.unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Ask the disk."""
        return self.path.stat().st_size

    def fingerprint(self) -> str:
        """Return a digest of the file's name, size and time."""
        return fingerprint_of([self.path])

    def _taken(self) -> TargetNotEmptyError:
        return TargetNotEmptyError(f"{self.path} exists; name another file.")


def archive_at(place: Place, settings: Settings) -> ArchivePlace:
    """Return the archive at a place; nothing is looked at yet.

    Raises:
        PlaceError: it is none.
        SettingsError: it is in S3, and what is needed for that is not installed.
    """
    if not place.url:
        return ArchiveFile(place.path)
    bucket, _, key = place.url.removeprefix("s3://").partition("/")
    try:
        from ops.migrate.s3_archive import S3Archive  # noqa: PLC0415 - 40 MB
    except ImportError:
        sentence = "Archives in S3 need boto3; run `pip install 'lightrag-fleet[s3]'`."
        raise SettingsError(sentence) from None
    return S3Archive.at(bucket, key, settings.s3)
