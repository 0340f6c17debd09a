"""An archive in a bucket of S3."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from ops.migrate.errors import SourceNotFoundError, TargetNotEmptyError
from shared.errors import ObjectNotFoundError, ObjectStoreRefusedError
from shared.objects.s3.bucket import Bucket, open_bucket
from shared.objects.s3.reader import S3Reader, read_from_s3
from shared.objects.s3.writer import written_to_s3
from shared.settings_s3 import S3Settings


@dataclass(frozen=True)
class S3Archive:
    """Streamed both ways, with a part of some megabytes in memory.

    Beside what ArchivePlace names, everything here raises ObjectStoreUnavailableError.
    """

    bucket: Bucket
    key: str

    @classmethod
    def at(cls, bucket: str, key: str, settings: S3Settings) -> "S3Archive":
        """Prepare an archive; the settings say where S3 is."""
        return cls(open_bucket(settings, bucket), key)

    def __str__(self) -> str:
        return f"s3://{self.bucket.name}/{self.key}"

    @contextmanager
    def reader(self) -> Iterator[IO[bytes]]:
        """Open the object; it may be sought in."""
        self._look()
        with read_from_s3(self.bucket, self.key) as file:
            yield file

    def require_free(self) -> None:
        """Ask S3 for the object."""
        # Who may write here but not list is told 403 of what is not there: the end will tell.
        with suppress(ObjectNotFoundError, ObjectStoreRefusedError):
            S3Reader(self.bucket, self.key)
            raise self._taken()

    @contextmanager
    def writer(self) -> Iterator[IO[bytes]]:
        """Send parts, which become the object at the end; without one, they are thrown away."""
        self.require_free()
        try:
            with written_to_s3(self.bucket, self.key) as file:
                yield file
        except FileExistsError:
            raise self._taken() from None

    def size_bytes(self) -> int:
        """Ask S3."""
        return self._look().size_bytes

    def fingerprint(self) -> str:
        """Return the name and the tag that S3 gives to each content."""
        return f"{self} {self._look().etag}"

    def _look(self) -> S3Reader:
        try:
            return S3Reader(self.bucket, self.key)
        except ObjectNotFoundError:
            raise SourceNotFoundError(f"There is no {self}; correct its name.") from None

    def _taken(self) -> TargetNotEmptyError:
        return TargetNotEmptyError(f"{self} exists; name another one.")
