"""What a store of uploaded bytes can do."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.ids import ObjectKey


@dataclass(frozen=True)
class StoredObject:
    """What is known of bytes once they are durable; `sha256` is in lower-case hex."""

    size_bytes: int
    sha256: str


class ObjectStore(Protocol):
    """Keeps uploaded bytes under keys; one contract suite runs against every implementation."""

    async def put(self, key: ObjectKey, chunks: AsyncIterator[bytes]) -> StoredObject:
        """Store the chunks under a key; they are durable when this returns.

        Nothing is left behind when it fails, when `chunks` raises, or when it is cancelled.

        Raises:
            ObjectStoreUnavailableError: the store is full or not reachable.
        """

    def as_file(self, key: ObjectKey) -> AbstractAsyncContextManager[Path]:
        """Give a path where the bytes can be read during a `with` block.

        Raises:
            ObjectNotFoundError: there is nothing under this key.
            ObjectStoreUnavailableError: the store is not reachable.
        """

    async def delete(self, keys: list[ObjectKey]) -> None:
        """Remove objects; missing ones are fine.

        Raises:
            ObjectStoreUnavailableError: the store is not reachable.
        """

    def older_than(self, age_s: float) -> AsyncIterator[ObjectKey]:
        """List what was last written more than `age_s` seconds ago, unfinished uploads included.

        Raises:
            ObjectStoreUnavailableError: the store is not reachable.
        """

    async def ping(self) -> None:
        """Check that something could be stored now.

        Raises:
            ObjectStoreUnavailableError: it could not.
        """
