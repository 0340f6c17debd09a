"""Writes one object as a stream: it is there when it is whole, or not at all.

S3 makes an object of parts visible at once, by CompleteMultipartUpload, and never before:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, TypedDict, cast

from shared.errors import AppError
from shared.objects.s3.bucket import Bucket
from shared.objects.s3.errors import translated_s3_errors

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

# S3 takes 5 MiB to 5 GiB in a part, and 10,000 parts; at most one is in memory.
PART_BYTES = 8 * 1024 * 1024
# Parts double after so many: 16 GB in small ones, 500 GB in all.
_PARTS_OF_A_SIZE = 2000
_MARK = "ragfleet-write"


class _Condition(TypedDict, total=False):
    IfNoneMatch: str


class S3Writer(io.RawIOBase):
    """Takes bytes; `commit` makes the object, `abort` removes every trace of it.

    Errors are those of `translated_s3_errors`.
    """

    def __init__(self, bucket: Bucket, key: str, *, replaces: bool) -> None:
        """Nothing is sent yet.

        Args:
            bucket: where.
            key: of the object.
            replaces: what happens when there is one: True replaces it, False refuses to.
        """
        self._bucket = bucket
        self._place = bucket.place(key)
        self._condition: _Condition = {} if replaces else {"IfNoneMatch": "*"}
        # Tells, when the answer to a commit was lost, whether the object is this one.
        self._mark = secrets.token_hex(16)
        self._block = bytearray()
        self._upload_id = ""
        self._parts: list[CompletedPartTypeDef] = []
        self._is_committed = False

    def writable(self) -> bool:
        """Say that this is for writing."""
        return True

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - whatever has bytes, as of any file
        """Take all of the bytes; sends a part whenever one is full."""
        rest = memoryview(content).cast("B")
        size = len(rest)
        while rest:
            room = PART_BYTES * 2 ** (len(self._parts) // _PARTS_OF_A_SIZE) - len(self._block)
            self._block += rest[:room]
            if len(rest) >= room:
                self._send_part()
            rest = rest[room:]
        return size

    def commit(self) -> None:
        """Make the object visible.

        Raises:
            FileExistsError: it must not replace another one, and there is one.
            ObjectStoreUnavailableError: S3 is away; nothing is known to be visible.
        """
        if self._upload_id and self._block:
            self._send_part()
        try:
            with translated_s3_errors():
                self._complete() if self._upload_id else self._put()
        except (AppError, FileExistsError):
            # A first try may have been carried out whose answer was lost.
            if not self._is_there():
                raise
        self._is_committed = True

    def abort(self) -> None:
        """Remove what was sent, the committed object, too, as far as S3 can be reached.

        What stays where it cannot be is no visible object, save after a commit of which neither
        success nor failure could be learned: that one may be there, and whole.
        """
        self._block.clear()
        client = self._bucket.client
        with suppress(AppError), translated_s3_errors():
            if self._is_committed:
                client.delete_object(**self._place)
            elif self._upload_id:
                client.abort_multipart_upload(**self._place, UploadId=self._upload_id)

    def _send_part(self) -> None:
        body = bytes(self._block)
        self._block.clear()
        client = self._bucket.client
        number = len(self._parts) + 1
        with translated_s3_errors():
            if not self._upload_id:
                begun = client.create_multipart_upload(**self._place, Metadata={_MARK: self._mark})
                self._upload_id = begun["UploadId"]
            # As a file it is sent piece by piece, and a timeout is for each of them.
            sent = client.upload_part(
                **self._place,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=io.BytesIO(body),
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _put(self) -> None:
        self._bucket.client.put_object(
            **self._place,
            Body=io.BytesIO(self._block),
            Metadata={_MARK: self._mark},
            **self._condition,
        )

    def _complete(self) -> None:
        self._bucket.client.complete_multipart_upload(
            **self._place,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._parts},
            **self._condition,
        )

    def _is_there(self) -> bool:
        try:
            with translated_s3_errors():
                found = self._bucket.client.head_object(**self._place)
        except AppError:
            return False
        return found["Metadata"].get(_MARK) == self._mark


@contextmanager
def written_to_s3(bucket: Bucket, key: str, *, replaces: bool = False) -> Iterator[IO[bytes]]:
    """Give a file to write to; it has its name when the block has ended without an exception.

    Args:
        bucket: where.
        key: of the object.
        replaces: whether it takes the place of one that is there.

    Raises:
        FileExistsError: there is one already.
        ObjectStoreUnavailableError: S3 is away; nothing is left behind as far as it is known.
    """
    writer = S3Writer(bucket, key, replaces=replaces)
    try:
        yield cast("IO[bytes]", writer)
        writer.commit()
    except BaseException:
        writer.abort()
        raise
