"""Documents, tasks and uploads come out of an archive as they went in, or it is damaged."""

import hashlib
import io
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ops.migrate.archive import ArchiveReader, ArchiveWriter, Head
from ops.migrate.errors import ArchiveDamagedError, SourceUnreadableError
from ops.migrate.history.items import HISTORY, UPLOADS, Upload
from shared.ledger.history_records import HistoryEntry
from worker.commit.operations import Kind, Operation

HEAD = Head("notes", dimension=2, embedding_model="e5", made_at="2026-11-24", version="1")
TEXTS = Operation(Kind.PUT_ROWS, "full_docs", [["a", {"content": "Ä 文"}]])


def an_entry() -> dict[str, Any]:
    file = {"file_name": "a.txt", "content_type": "text/plain", "size_bytes": 5, "sha256": "s"}
    task = {
        "id": "task-1",
        "kind": "insert",
        "revision": 1,
        "state": "succeeded",
        "attempt": 1,
        "chunks_total": 1,
        "chunks_done": 1,
        "object_key": "uploads/w/1",
        "payload": None,
        "error_code": None,
        "error_detail": None,
        "request_id": "r",
        "created_at_ms": 1,
        "updated_at_ms": 2,
        "started_at_ms": 1,
        "finished_at_ms": 2,
        **file,
    }
    document = {
        "doc_id": "a",
        "latest_revision": 1,
        "committed_revision": 1,
        "deleted": False,
        "latest_task_id": "task-1",
        "committed_task_id": "task-1",
        "chunks": 1,
        "created_at_ms": 1,
        "updated_at_ms": 2,
        **file,
    }
    return {"document": document, "tasks": [task]}


ENTRIES = [HistoryEntry.model_validate(an_entry())]


async def pieces(*found: bytes) -> AsyncIterator[bytes]:
    for piece in found:
        yield piece


def an_upload(*found: bytes) -> Upload:
    return Upload("uploads/w/1", 5, hashlib.sha256(b"hello").hexdigest(), pieces(*found))


async def written() -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    writer.write(TEXTS)
    await writer.write_history(an_upload(b"he", b"llo"))
    await writer.write_history(ENTRIES)
    writer.finish()
    return file.getvalue()


async def test_history_comes_back_without_a_look_at_the_operations() -> None:
    found = []
    for item in ArchiveReader(io.BytesIO(await written())).history():
        if isinstance(item, Upload):
            found.append((item.key, b"".join([piece async for piece in item.pieces])))
        else:
            found.append(("entries", item))

    assert found == [("uploads/w/1", b"hello"), ("entries", ENTRIES)]


async def test_an_upload_that_nobody_reads_is_passed_over() -> None:
    items = list(ArchiveReader(io.BytesIO(await written())).history())
    assert items[1] == ENTRIES


async def test_operations_come_back_and_everything_is_counted() -> None:
    reader = ArchiveReader(io.BytesIO(await written()))

    assert list(reader.operations()) == [TEXTS]
    assert {section: found.count for section, found in reader.sums.items()} == {
        "full_docs": 1,
        HISTORY: 1,
        UPLOADS: 1,
    }


async def test_every_byte_of_it_matters() -> None:
    content = await written()

    for position in range(content.index(b"FILE"), len(content)):
        changed = bytearray(content)
        changed[position] ^= 0x10
        with pytest.raises(ArchiveDamagedError):
            list(ArchiveReader(io.BytesIO(changed)).operations())


async def test_a_lost_upload_is_noticed() -> None:
    content = await written()
    first, behind = content.index(b"FILE"), content.index(b"HIST")

    with pytest.raises(ArchiveDamagedError):
        list(ArchiveReader(io.BytesIO(content[:first] + content[behind:])).operations())


async def test_an_upload_of_other_bytes_is_damage() -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    await writer.write_history(an_upload(b"jello"))
    writer.finish()

    with pytest.raises(ArchiveDamagedError):
        list(ArchiveReader(io.BytesIO(file.getvalue())).operations())


async def test_an_upload_of_another_length_is_not_written() -> None:
    writer = ArchiveWriter(io.BytesIO(), HEAD)

    with pytest.raises(SourceUnreadableError):
        await writer.write_history(an_upload(b"hell"))


def made_up(kind: bytes, content: bytes) -> ArchiveReader:
    """An archive whose checksums are right, and whose content nobody of ours has written."""
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    writer._frame(kind, content)
    writer.finish()
    return ArchiveReader(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(
    ("field", "value"),
    [("doc_id", "../x"), ("file_name", "a\0b"), ("latest_revision", -1), ("news", 1)],
)
def test_documents_that_no_ledger_lists_are_refused(field: str, value: object) -> None:
    entry = an_entry()
    entry["document"][field] = value
    content = zlib.compress(json.dumps([entry]).encode())

    with pytest.raises(ArchiveDamagedError):
        list(made_up(b"HIST", content).history())


def test_an_entry_about_nothing_is_refused() -> None:
    content = zlib.compress(json.dumps([{"document": None, "tasks": []}]).encode())

    with pytest.raises(ArchiveDamagedError):
        list(made_up(b"HIST", content).operations())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"key": "a"}', b'{"key":1,"size_bytes":"x"}'])
def test_uploads_that_are_none_are_refused(content: bytes) -> None:
    with pytest.raises(ArchiveDamagedError):
        list(made_up(b"FILE", content).history())
