"""Reads one object as a stream, block by block."""

import io
import os
from contextlib import closing
from typing import TYPE_CHECKING, TypedDict

from botocore import exceptions

from shared.errors import ObjectNotFoundError, ObjectStoreUnavailableError
from shared.objects.s3.bucket import Bucket
from shared.objects.s3.errors import code_of, translated_s3_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Each is a request of its own: whoever reads slowly holds no connection that S3 would close.
# They double up to the largest while somebody reads on; whoever leaps gets small ones.
FIRST_BLOCK_BYTES = 128 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
# How often a block is asked for whose bytes stopped coming; botocore repeats only up to there.
_ATTEMPTS = 3


class _Condition(TypedDict, total=False):
    IfMatch: str


class S3Reader(io.RawIOBase):
    """One version of one object, with one block of it in memory."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        """Read the first block.

        Raises:
            ObjectNotFoundError: there is nothing under this key.
            ObjectStoreUnavailableError: S3 is away.
        """
        self._client = bucket.client
        self._place = bucket.place(key)
        self.etag = ""
        """Changes whenever the content does."""
        self.size_bytes = 0
        self._position = 0
        self._block_bytes = FIRST_BLOCK_BYTES
        self._block = self._fetched()

    def readable(self) -> bool:
        """Say that this is for reading."""
        return True

    def seekable(self) -> bool:
        """Say that one may leap."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Give some of the next bytes; 0: there are no more.

        Raises:
            ObjectNotFoundError: the object was removed or replaced meanwhile.
            ObjectStoreUnavailableError: S3 is away.
        """
        if not self._block and self._position < self.size_bytes:
            self._block = self._fetched()
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._block))
        target[:count] = self._block[:count]
        self._block = self._block[count:]
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go on somewhere else; nothing is asked for before it is read."""
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}
        leap = starts[whence] + offset - self._position
        if not 0 <= leap <= len(self._block):
            self._block_bytes = FIRST_BLOCK_BYTES
            self._block = memoryview(b"")
        self._block = self._block[max(0, leap) :]
        self._position += leap
        return self._position

    def _fetched(self) -> memoryview:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with translated_s3_errors():
                    block = self._get_block()
            except FileExistsError:
                sentence = "The object was replaced while it was read; start again."
                raise ObjectNotFoundError(sentence) from None
            except _BrokenOffError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                self._block_bytes = min(self._block_bytes * 2, BLOCK_BYTES)
                return memoryview(block)
        raise AssertionError

    def _get_block(self) -> bytes:
        last = self._position + self._block_bytes - 1
        same: _Condition = {"IfMatch": self.etag} if self.etag else {}
        try:
            answer = self._client.get_object(
                **self._place, Range=f"bytes={self._position}-{last}", **same
            )
        except exceptions.ClientError as error:
            if code_of(error) not in {"InvalidRange", "416"} or self._position:
                raise
            answer = self._client.get_object(**self._place)  # empty: it has no first byte
        self.etag = answer["ETag"]
        self.size_bytes = int(answer.get("ContentRange", "/0").rpartition("/")[2])
        try:
            with closing(answer["Body"]) as body:
                return body.read()
        except exceptions.BotoCoreError as error:
            raise _BrokenOffError from error


class _BrokenOffError(ObjectStoreUnavailableError):
    """The object store broke an answer off; nothing was changed, try again shortly."""


def read_from_s3(bucket: Bucket, key: str) -> io.BufferedReader:
    """Open an object for reading; its errors are those of S3Reader."""
    return io.BufferedReader(S3Reader(bucket, key))
