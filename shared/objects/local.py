"""Uploaded bytes in a directory of this machine."""

import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from shared.errors import ObjectNotFoundError, ObjectStoreUnavailableError
from shared.ids import ObjectKey
from shared.objects.base import StoredObject
from shared.objects.durable import flush_folder
from shared.objects.keys import UNFINISHED, require_relative
from shared.objects.threads import in_blocks, run_to_its_end

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class LocalObjectStore:
    """One file an object; it appears under its key only when it is complete and on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> StoredObject:
        """Store the chunks: written aside, flushed to the disk, then renamed."""
        target = self._path(key)
        incoming = self._new_incoming()
        try:
            await _in_thread(incoming.open)
            async for block in in_blocks(chunks):
                await _in_thread(incoming.write, block)
            return await _in_thread(incoming.publish, target)
        except BaseException:
            await _in_thread(incoming.discard)
            raise

    def as_file(self, key: ObjectKey) -> AbstractAsyncContextManager[Path]:
        """Give the path of the object itself: read it, never write it."""
        return self._as_file(self._path(key))

    async def delete(self, keys: list[ObjectKey]) -> None:
        """Remove the objects' files."""
        await _in_thread(_remove, [self._path(key) for key in keys])

    async def older_than(self, age_s: float) -> AsyncIterator[ObjectKey]:
        """List old objects, one folder at a time."""
        written_before_s = time.time() - age_s
        for folder in await _in_thread(_folders, self._root):
            for path in await _in_thread(_old_files, folder, written_before_s):
                yield ObjectKey(path.relative_to(self._root).as_posix())

    async def ping(self) -> None:
        """Write one byte to the disk and remove it again."""
        incoming = self._new_incoming()
        try:
            await _in_thread(incoming.open)
            await _in_thread(incoming.write, b"?")
        finally:
            await _in_thread(incoming.discard)

    @asynccontextmanager
    async def _as_file(self, path: Path) -> AsyncIterator[Path]:
        if not await _in_thread(path.is_file):
            raise ObjectNotFoundError
        yield path

    def _new_incoming(self) -> "_Incoming":
        return _Incoming(self._root / UNFINISHED / secrets.token_hex(16))

    def _path(self, key: ObjectKey) -> Path:
        require_relative(key)
        return self._root / key


class _Incoming:
    """A file that is being written, not yet visible under its key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._digest = hashlib.sha256()
        self._size_bytes = 0

    def open(self) -> None:
        _make_folder(self._path.parent)
        # Only this user may read uploads.
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._digest.update(block)
        self._size_bytes += len(block)

    def publish(self, target: Path) -> StoredObject:
        os.fsync(self._descriptor)
        self._close()
        _make_folder(target.parent)
        self._path.rename(target)
        self._path = target  # from here on `discard` removes the published file
        flush_folder(target.parent)
        return StoredObject(self._size_bytes, self._digest.hexdigest())

    def discard(self) -> None:
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


async def _in_thread(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    try:
        return await run_to_its_end(None, function, *args, **kwargs)
    except OSError as error:
        raise ObjectStoreUnavailableError from error


def _make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """Make a folder and those above it, each of which survives a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent, mode=0o777)  # others may have to pass through
    folder.mkdir(exist_ok=True, mode=mode)
    flush_folder(folder.parent)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _folders(root: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(root)]


def _old_files(folder: Path, written_before_s: float) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.is_file() and entry.stat().st_mtime < written_before_s
            ]
    except FileNotFoundError:
        return []  # removed while we listed
