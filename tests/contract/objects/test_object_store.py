"""The promises of an object store, kept by every implementation."""

import asyncio
import errno
import hashlib
import os
import resource
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import InvalidInputError, ObjectNotFoundError, ObjectStoreUnavailableError
from shared.ids import ObjectKey
from shared.objects.base import ObjectStore
from shared.objects.local import LocalObjectStore
from shared.objects.memory import MemoryObjectStore
from shared.objects.s3.store import S3ObjectStore

KEY = ObjectKey("uploads/default/0001")


@pytest.fixture(params=["local", "memory", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    match request.param:
        case "local":
            return LocalObjectStore(tmp_path / "objects")
        case "memory":
            return MemoryObjectStore(capacity_bytes=50_000_000)
        case _:
            return S3ObjectStore(request.getfixturevalue("s3"), "objects")


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def keys_in(objects: ObjectStore) -> list[ObjectKey]:
    return [key async for key in objects.older_than(-60)]  # younger than a minute from now: all


async def test_what_was_put_can_be_read_back_with_its_size_and_hash(objects: ObjectStore) -> None:
    content = os.urandom(19_000_001)
    stored = await objects.put(KEY, stream(content[:7], content[7:2_000_000], content[2_000_000:]))
    assert stored.size_bytes == len(content)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    async with objects.as_file(KEY) as path:
        assert path.read_bytes() == content


async def test_an_empty_object_is_an_object(objects: ObjectStore) -> None:
    assert (await objects.put(KEY, stream())).size_bytes == 0
    async with objects.as_file(KEY) as path:
        assert path.read_bytes() == b""


async def test_a_missing_object_says_so(objects: ObjectStore) -> None:
    with pytest.raises(ObjectNotFoundError):
        async with objects.as_file(KEY):
            pass


async def test_deleting_removes_and_forgives_missing_ones(objects: ObjectStore) -> None:
    await objects.put(KEY, stream(b"x"))
    await objects.delete([KEY, ObjectKey("uploads/default/never")])
    assert await keys_in(objects) == []


async def test_only_old_objects_are_listed_as_old(objects: ObjectStore) -> None:
    await objects.put(KEY, stream(b"x"))
    assert [key async for key in objects.older_than(3600)] == []
    assert await keys_in(objects) == [KEY]


async def test_nothing_is_left_when_the_source_fails(objects: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 9_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await objects.put(KEY, broken())
    assert await keys_in(objects) == []


async def test_nothing_is_left_when_a_put_is_cancelled_in_the_middle(objects: ObjectStore) -> None:
    reached = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 9_000_000
        reached.set()
        await asyncio.Event().wait()

    put = asyncio.create_task(objects.put(KEY, endless()))
    await reached.wait()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put
    assert await keys_in(objects) == []


async def test_a_working_store_answers_the_ping(objects: ObjectStore) -> None:
    await objects.ping()
    assert await keys_in(objects) == []


async def test_a_full_memory_store_refuses_and_keeps_nothing() -> None:
    objects = MemoryObjectStore(capacity_bytes=10)
    with pytest.raises(ObjectStoreUnavailableError):
        await objects.put(KEY, stream(b"x" * 6, b"x" * 6))
    assert objects.objects == {}


async def test_a_full_disk_is_an_unavailable_store_and_nothing_is_left(tmp_path: Path) -> None:
    objects = LocalObjectStore(tmp_path)
    (tmp_path / "incoming").symlink_to("/dev/full")  # writing below it fails as a broken disk would
    with pytest.raises(ObjectStoreUnavailableError):
        await objects.put(KEY, stream(b"x"))
    with pytest.raises(ObjectStoreUnavailableError):
        await objects.ping()


async def test_running_out_of_space_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    objects = LocalObjectStore(tmp_path)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, unlimited[1]))
    try:
        with pytest.raises(ObjectStoreUnavailableError):
            await objects.put(KEY, stream(b"x" * 1_200_000, b"x" * 1_200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert await keys_in(objects) == []


async def test_a_disk_that_cannot_flush_at_the_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    objects = LocalObjectStore(tmp_path)
    await objects.ping()  # makes the folder, which is flushed, too
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ObjectStoreUnavailableError):
        await objects.put(KEY, stream(b"x" * 3_000_000))
    assert await keys_in(objects) == []


@pytest.mark.parametrize("opened_before", [False, True], ids=["opening", "publishing"])
async def test_a_cancelled_put_ends_after_the_thread_that_works_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_before: bool
) -> None:
    """Otherwise the thread would write to a closed file, or to another one with its number."""
    flushing, go_on = threading.Event(), threading.Event()

    def slow_flush(_descriptor: int) -> None:
        flushing.set()
        go_on.wait()

    objects = LocalObjectStore(tmp_path)
    if opened_before:
        await objects.ping()
    monkeypatch.setattr(os, "fsync", slow_flush)
    put = asyncio.create_task(objects.put(KEY, stream(b"x")))
    await asyncio.to_thread(flushing.wait)
    put.cancel()
    _, pending = await asyncio.wait([put], timeout=0.1)
    go_on.set()
    assert pending
    with pytest.raises(asyncio.CancelledError):
        await put
    assert await keys_in(objects) == []


async def test_what_a_killed_process_left_is_listed_for_the_sweeper(tmp_path: Path) -> None:
    objects = LocalObjectStore(tmp_path)
    leftover = tmp_path / "incoming" / "abc"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    assert await keys_in(objects) == [ObjectKey("incoming/abc")]
    await objects.delete([ObjectKey("incoming/abc")])
    assert not leftover.exists()


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "uploads/../../x", ""])
async def test_a_key_never_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidInputError):
        await LocalObjectStore(tmp_path / "objects").delete([ObjectKey(key)])
