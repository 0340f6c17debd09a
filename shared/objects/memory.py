"""Uploaded bytes in memory, for tests."""

import hashlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from shared.errors import ObjectNotFoundError, ObjectStoreUnavailableError
from shared.ids import ObjectKey
from shared.objects.base import StoredObject


class MemoryObjectStore:
    """Keeps objects in a dictionary; refuses to hold more than `capacity_bytes` in all."""

    def __init__(self, *, capacity_bytes: int = 1024**3) -> None:
        self.objects: dict[ObjectKey, bytes] = {}
        self.capacity_bytes = capacity_bytes
        self._written_at_s: dict[ObjectKey, float] = {}

    async def put(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> StoredObject:
        """Store the chunks.

        Raises:
            ObjectStoreUnavailableError: there is no room for them.
        """
        content = bytearray()
        async for chunk in chunks:
            content += chunk
            if self._used_bytes() + len(content) > self.capacity_bytes:
                raise ObjectStoreUnavailableError
        self.objects[key] = bytes(content)
        self._written_at_s[key] = time.monotonic()
        return StoredObject(len(content), hashlib.sha256(content).hexdigest())

    def as_file(self, key: ObjectKey) -> AbstractAsyncContextManager[Path]:
        """Give a temporary file with the object's bytes."""
        return self._as_file(key)

    async def delete(self, keys: list[ObjectKey]) -> None:
        """Forget the objects."""
        for key in keys:
            self.objects.pop(key, None)

    async def older_than(self, age_s: float) -> AsyncIterator[ObjectKey]:
        """List old objects."""
        written_before_s = time.monotonic() - age_s
        for key in list(self.objects):
            if self._written_at_s[key] < written_before_s:
                yield key

    async def ping(self) -> None:
        """Check that one more byte would fit.

        Raises:
            ObjectStoreUnavailableError: it would not.
        """
        if self._used_bytes() >= self.capacity_bytes:
            raise ObjectStoreUnavailableError

    @asynccontextmanager
    async def _as_file(self, key: ObjectKey) -> AsyncIterator[Path]:
        if key not in self.objects:
            raise ObjectNotFoundError
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.objects[key])
            file.flush()
            yield Path(file.name)

    def _used_bytes(self) -> int:
        return sum(map(len, self.objects.values()))
