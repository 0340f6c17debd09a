"""Where backups are kept: files under names, seen only when they are whole."""

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol

from ops.backup.errors import (
    BackupExistsError,
    BackupNotFoundError,
    BackupPlaceError,
    BackupPlaceUnavailableError,
)
from ops.backup.names import is_ours
from ops.migrate.naming import give_name
from shared.settings import Settings

# What a disk says, not a server that is asked while a backup is written.
_OF_DISKS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM,
    errno.ENOENT, errno.ENOTDIR, errno.ESTALE,
})  # fmt: skip
# A backup may take two days; a half one that is older was left by a killed process.
_ABANDONED_AFTER_S = 3 * 86_400
_UNFINISHED = ".part"


@dataclass(frozen=True)
class BackupFile:
    """A file in a place."""

    name: str
    size_bytes: int


class BackupPlace(Protocol):
    """A flat set of files.

    All methods raise BackupPlaceUnavailableError when the place is away, full or refuses us.
    Names are plain words without `/`. Methods block; none of them is called on an event loop.
    """

    def list(self) -> list[BackupFile]:
        """Return all whole files by name; none where nothing was ever written."""

    def reader(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file to read it from the beginning to the end.

        Raises:
            BackupNotFoundError: there is none of this name.
        """

    def writer(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a new file; it has its name only when the block ends without an exception.

        Raises:
            BackupExistsError: there is one of this name, at the beginning or at the end.
        """

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""


class DirectoryBackupPlace:
    """A folder, made when the first file is written; only its owner may read what is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def list(self) -> list[BackupFile]:
        """Return all whole files by name."""
        with self._complaining("read"):
            if not self._folder.exists():
                return []
            entries = sorted(self._folder.iterdir())
            return [
                BackupFile(path.name, path.stat().st_size)
                for path in entries
                if path.is_file() and not path.name.endswith(_UNFINISHED)
            ]

    @contextmanager
    def reader(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file."""
        with self._complaining("read"):
            try:
                file = (self._folder / name).open("rb")
            except FileNotFoundError:
                sentence = (
                    f"There is no {name} in {self._folder}; `ragfleet backup list` shows what "
                    "there is."
                )
                raise BackupNotFoundError(sentence) from None
        with file:
            yield file

    @contextmanager
    def writer(self, name: str) -> Iterator[IO[bytes]]:
        """Write under another name, and give the file its own when it is on the disk."""
        path = self._folder / name
        # A name of its own: two that write the same file must not write into one.
        unfinished = self._folder / f".{name}.{secrets.token_hex(4)}{_UNFINISHED}"
        try:
            with self._complaining("written"):
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._remove_abandoned()
                _require_free(path)
                with os.fdopen(_new_file(unfinished), "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                _give_name(unfinished, path)
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove a file."""
        with self._complaining("written"):
            (self._folder / name).unlink(missing_ok=True)

    def _remove_abandoned(self) -> None:
        for path in self._folder.glob(f".*{_UNFINISHED}"):
            name, _, _ = path.name.removeprefix(".").removesuffix(_UNFINISHED).rpartition(".")
            if not is_ours(name):
                continue  # others may keep files in the same folder
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                    path.unlink()

    @contextmanager
    def _complaining(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _OF_DISKS:
                raise
            sentence = f"{self._folder} cannot be {verb}: {error.strerror}."
            raise BackupPlaceUnavailableError(sentence) from None


def parse_backup_place(text: str, settings: Settings) -> BackupPlace:
    """Read `DIR` or `s3://bucket/prefix`; empty: BACKUP_TO, and without that DATA_DIR/backups.

    Raises:
        BackupPlaceError: it is neither.
    """
    chosen = text or settings.backup.to
    if not chosen:
        return DirectoryBackupPlace(settings.storage.data_dir / "backups")
    scheme, separator, rest = chosen.partition("://")
    if not separator:
        return DirectoryBackupPlace(Path(chosen))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise BackupPlaceError(f"`{chosen}` is no place; write a folder or `s3://bucket/prefix`.")
    return _bucket(bucket, prefix, settings)


def _bucket(bucket: str, prefix: str, settings: Settings) -> BackupPlace:
    try:
        module = import_module("ops.backup.s3")  # here, for its client is slow to load
    except ImportError:
        sentence = (
            "Backups in S3 need boto3; run `pip install 'lightrag-fleet[s3]'`, or name a folder."
        )
        raise BackupPlaceError(sentence) from None
    place: BackupPlace = module.S3BackupPlace(bucket, prefix, settings)
    return place


def _new_file(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)


def _require_free(path: Path) -> None:
    if path.exists():
        raise BackupExistsError


def _give_name(unfinished: Path, path: Path) -> None:
    try:
        give_name(unfinished, path)
    except FileExistsError:
        raise BackupExistsError from None
