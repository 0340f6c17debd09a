"""Uploaded bytes in a bucket of S3."""

import asyncio
import hashlib
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from shared.errors import ObjectStoreUnavailableError
from shared.ids import ObjectKey
from shared.objects.base import StoredObject
from shared.objects.keys import require_relative
from shared.objects.s3.bucket import MAX_CONNECTIONS, open_bucket
from shared.objects.s3.folder import Folder
from shared.objects.s3.reader import read_from_s3
from shared.objects.s3.writer import S3Writer
from shared.objects.threads import in_blocks, run_to_its_end
from shared.settings_s3 import S3Settings

_COPY_BYTES = 1024 * 1024
_NO_ROOM_SENTENCE = (
    "The folder for temporary files is full or cannot be written; the work goes on when it can."
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class S3ObjectStore:
    """One object an upload; it appears under its key only when it is complete."""

    def __init__(self, settings: S3Settings, folder: str) -> None:
        """Nothing connects before it is used.

        Args:
            settings: they name the bucket.
            folder: the part of keys between the prefix of the settings and our own.
        """
        self._settings = settings
        self._prefix = f"{settings.prefix}{folder}/"
        # Our own: a slow S3 must not take the threads that others wait for.
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, thread_name_prefix="s3")
        self._opening = threading.Lock()
        self._opened: Folder | None = None

    async def put(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> StoredObject:
        """Store the chunks: sent in parts, which S3 puts together at the end."""
        require_relative(key)
        upload = await self._in_thread(self._begin, key)
        try:
            async for block in in_blocks(chunks):
                await self._in_thread(upload.write, block)
            return await self._in_thread(upload.commit)
        except BaseException:
            await self._in_thread(upload.abort)
            raise

    def as_file(self, key: ObjectKey) -> AbstractAsyncContextManager[Path]:
        """Give a copy in the folder for temporary files, removed after the block."""
        require_relative(key)
        return self._as_file(key)

    async def delete(self, keys: list[ObjectKey]) -> None:
        """Remove the objects, a thousand with one request."""
        for key in keys:
            require_relative(key)
        folder = await self._in_thread(self._folder)
        await self._in_thread(folder.remove, [str(key) for key in keys])

    async def older_than(self, age_s: float) -> AsyncIterator[ObjectKey]:
        """List old objects and unfinished uploads, a page at a time."""
        written_before = datetime.now(UTC) - timedelta(seconds=age_s)
        folder = await self._in_thread(self._folder)
        for pages in (folder.objects(), folder.unfinished()):
            while (page := await self._in_thread(next, pages, None)) is not None:
                for listed in page:
                    if listed.modified_at < written_before:
                        yield ObjectKey(listed.name)

    async def ping(self) -> None:
        """Begin an upload and give it up."""
        # Whoever asks has no time to wait for a thread whose server does not answer.
        await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self._folder().require_writable()
        )

    @asynccontextmanager
    async def _as_file(self, key: ObjectKey) -> AsyncIterator[Path]:
        with _temporary_file() as file:
            await self._in_thread(self._copy, key, file)
            yield Path(file.name)

    def _copy(self, key: ObjectKey, file: IO[bytes]) -> None:
        folder = self._folder()
        with read_from_s3(folder.bucket, folder.key_of(key)) as stored:
            try:
                shutil.copyfileobj(stored, file, _COPY_BYTES)
                file.flush()
            except OSError as error:
                raise ObjectStoreUnavailableError(_NO_ROOM_SENTENCE) from error

    def _begin(self, key: ObjectKey) -> "_Upload":
        folder = self._folder()
        return _Upload(S3Writer(folder.bucket, folder.key_of(key), replaces=True))

    def _folder(self) -> Folder:
        with self._opening:
            if self._opened is None:
                self._opened = Folder(open_bucket(self._settings), self._prefix)
            return self._opened

    async def _in_thread(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        return await run_to_its_end(self._threads, function, *args, **kwargs)


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    try:
        file = tempfile.NamedTemporaryFile(prefix="ragfleet-upload-")  # noqa: SIM115 - below
    except OSError as error:
        raise ObjectStoreUnavailableError(_NO_ROOM_SENTENCE) from error
    with file:
        yield file


class _Upload:
    """An object that is being written, with what is known of its bytes."""

    def __init__(self, writer: S3Writer) -> None:
        self._writer = writer
        self._digest = hashlib.sha256()
        self._size_bytes = 0

    def write(self, block: bytes) -> None:
        self._digest.update(block)
        self._size_bytes += self._writer.write(block)

    def commit(self) -> StoredObject:
        self._writer.commit()
        return StoredObject(self._size_bytes, self._digest.hexdigest())

    def abort(self) -> None:
        self._writer.abort()
