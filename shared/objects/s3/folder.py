"""What a bucket holds below one prefix: lists it, and removes from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from shared.errors import (
    ObjectNotFoundError,
    ObjectStoreRefusedError,
    ObjectStoreUnavailableError,
)
from shared.objects.keys import UNFINISHED
from shared.objects.s3.bucket import Bucket
from shared.objects.s3.errors import translated_s3_errors

# The most that DeleteObjects takes.
_BATCH = 1000


@dataclass(frozen=True)
class Listed:
    """What a listing says of an object, or of a write that was not finished."""

    name: str
    """Below the prefix."""
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True)
class Folder:
    """The objects whose keys begin with `prefix`, which ends with a slash or is empty.

    All errors are those of `translated_s3_errors`.
    """

    bucket: Bucket
    prefix: str

    def key_of(self, name: str) -> str:
        """Return an object's whole key."""
        return self.prefix + name

    def objects(self, *, delimiter: str = "") -> Iterator[list[Listed]]:
        """List the objects, some at a time, by name; only those without `delimiter` in theirs."""
        pages = self.bucket.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket.name, Prefix=self.prefix, Delimiter=delimiter
        )
        with translated_s3_errors():
            for page in pages:
                yield [
                    Listed(self._name_of(found["Key"]), found["Size"], found["LastModified"])
                    for found in page.get("Contents", ())
                ]

    def unfinished(
        self, *, delimiter: str = "", wanted: Callable[[str], bool] = lambda _name: True
    ) -> Iterator[list[Listed]]:
        """List writes that are neither committed nor aborted, each with its last part's time.

        Args:
            delimiter: list only those without it in the name of what they will be.
            wanted: tells it of such a name; S3 is asked for the parts of no others.
        """
        pages = self.bucket.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket.name, Prefix=self.prefix, Delimiter=delimiter
        )
        with translated_s3_errors():
            for page in pages:
                found = (
                    self._unfinished(write["Key"], write["UploadId"], write["Initiated"])
                    for write in page.get("Uploads", ())
                    if wanted(self._name_of(write["Key"]))
                )
                yield [listed for listed in found if listed is not None]

    def remove(self, names: list[str]) -> None:
        """Remove objects, or unfinished writes by the names in their list; missing ones are fine.

        Raises:
            ObjectStoreRefusedError: S3 would not remove one of them.
        """
        for name in names:
            if name.startswith(UNFINISHED):
                self._abort(name)
        keys = [self.key_of(name) for name in names if not name.startswith(UNFINISHED)]
        for first in range(0, len(keys), _BATCH):
            self._delete(keys[first : first + _BATCH])

    def require_writable(self) -> None:
        """Begin a write and give it up: leaves nothing, not even where versions are kept.

        Raises:
            ObjectStoreUnavailableError: nothing could be written now.
        """
        place = self.bucket.place(self.key_of(f"{UNFINISHED}ping"))
        with translated_s3_errors():
            begun = self.bucket.client.create_multipart_upload(**place)
            self.bucket.client.abort_multipart_upload(**place, UploadId=begun["UploadId"])

    def _name_of(self, key: str) -> str:
        return key.removeprefix(self.prefix)

    def _delete(self, keys: list[str]) -> None:
        with translated_s3_errors():
            answer = self.bucket.client.delete_objects(
                Bucket=self.bucket.name,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        if errors := answer.get("Errors"):
            is_refused = errors[0].get("Code") == "AccessDenied"
            raise ObjectStoreRefusedError if is_refused else ObjectStoreUnavailableError

    def _abort(self, name: str) -> None:
        upload_id, _, object_name = name.removeprefix(UNFINISHED).partition("/")
        try:
            with translated_s3_errors():
                self.bucket.client.abort_multipart_upload(
                    **self.bucket.place(self.key_of(object_name)), UploadId=unquote(upload_id)
                )
        except ObjectNotFoundError:
            return  # somebody finished or gave it up meanwhile

    def _unfinished(self, key: str, upload_id: str, begun_at: datetime) -> Listed | None:
        """Describe an unfinished write; None: it ended meanwhile."""
        pages = self.bucket.client.get_paginator("list_parts").paginate(
            **self.bucket.place(key), UploadId=upload_id
        )
        try:
            with translated_s3_errors():
                parts = [part for page in pages for part in page.get("Parts", ())]
        except ObjectNotFoundError:
            return None
        name = f"{UNFINISHED}{quote(upload_id, safe='')}/{self._name_of(key)}"
        times = [part["LastModified"] for part in parts]
        return Listed(name, sum(part["Size"] for part in parts), max(times, default=begun_at))
