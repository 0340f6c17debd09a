"""Backups in a bucket of S3."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import IO

from ops.backup.errors import (
    BackupExistsError,
    BackupNotFoundError,
    BackupPlaceUnavailableError,
)
from ops.backup.names import is_ours
from ops.backup.places import BackupFile
from shared.errors import ObjectNotFoundError, ObjectStoreUnavailableError
from shared.objects.s3.bucket import open_bucket
from shared.objects.s3.folder import Folder
from shared.objects.s3.reader import S3Reader, read_from_s3
from shared.objects.s3.writer import written_to_s3
from shared.settings import Settings

# A backup may take two days; a half one that is older was left by a killed process.
_ABANDONED_AFTER = timedelta(days=3)


class S3BackupPlace:
    """The objects below a prefix, and none further down; each is there when it is whole."""

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        """Nothing connects before it is used.

        Args:
            bucket: its name.
            prefix: a slash is put between it and the files' names.
            settings: they say where S3 is.
        """
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._settings = settings.s3

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def list(self) -> list[BackupFile]:
        """Return all whole files by name."""
        with self._complaining():
            return [
                BackupFile(listed.name, listed.size_bytes)
                for page in self._folder.objects(delimiter="/")
                for listed in page
                if listed.name  # the prefix itself: some tools make it an object
            ]

    @contextmanager
    def reader(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file."""
        with self._complaining():
            try:
                file = read_from_s3(self._folder.bucket, self._folder.key_of(name))
            except ObjectNotFoundError:
                sentence = (
                    f"There is no {name} in {self}; `ragfleet backup list` shows what there is."
                )
                raise BackupNotFoundError(sentence) from None
            with file:
                yield file

    @contextmanager
    def writer(self, name: str) -> Iterator[IO[bytes]]:
        """Send parts as they come, and have S3 put them together at the end."""
        key = self._folder.key_of(name)
        try:
            with self._complaining():
                if self._is_there(key):
                    raise BackupExistsError
                self._remove_abandoned()
                with written_to_s3(self._folder.bucket, key) as file:
                    yield file
        except FileExistsError:
            raise BackupExistsError from None

    def delete(self, name: str) -> None:
        """Remove a file."""
        with self._complaining():
            self._folder.remove([name])

    @cached_property
    def _folder(self) -> Folder:
        return Folder(open_bucket(self._settings, self._bucket), self._prefix)

    def _is_there(self, key: str) -> bool:
        try:
            S3Reader(self._folder.bucket, key)
        except ObjectNotFoundError:
            return False
        return True

    def _remove_abandoned(self) -> None:
        """Give up writes that a killed process left: their parts cost as much as objects.

        The bucket may hold writes of other programs: those stay, whatever their age.
        """
        begun_before = datetime.now(UTC) - _ABANDONED_AFTER
        with suppress(ObjectStoreUnavailableError):  # nobody needs it done now
            for page in self._folder.unfinished(delimiter="/", wanted=is_ours):
                self._folder.remove(
                    [listed.name for listed in page if listed.modified_at < begun_before]
                )

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except ObjectStoreUnavailableError as error:
            # What it was made from would name S3_BUCKET, which is the uploads'.
            raise BackupPlaceUnavailableError(f"{self}: {error.detail}") from None
