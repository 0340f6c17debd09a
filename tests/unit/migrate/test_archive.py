"""An archive gives back what was put in, or says that it is damaged."""

import io
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from ops.migrate import archive
from ops.migrate.archive import ArchiveReader, ArchiveWriter, Head
from ops.migrate.archive_places import ArchiveFile
from ops.migrate.errors import ArchiveDamagedError
from ops.migrate.source import ArchiveSource
from worker.commit.encoding import UnstorableRecordError, encode
from worker.commit.operations import Kind, Operation

HEAD = Head("notes", dimension=2, embedding_model="e5", made_at="2026-11-24", version="1")
OPERATIONS = [
    Operation(Kind.PUT_ROWS, "full_docs", [["a", {"content": "Ä 文"}], ["b", {"content": "x"}]]),
    Operation(Kind.PUT_EDGES, "chunk_entity_relation_graph", [["Bern", "Ulm", {"weight": 1.5}]]),
    Operation(Kind.PUT_VECTORS, "chunks_vdb", [["c", {}]], (struct.pack("<2f", 0.25, -1),)),
]


def written() -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    for operation in OPERATIONS:
        writer.write(operation)
    writer.finish()
    return file.getvalue()


def read(content: bytes) -> list[Operation]:
    return list(ArchiveReader(io.BytesIO(content)).operations())


def test_operations_come_back_as_they_were() -> None:
    reader = ArchiveReader(io.BytesIO(written()))

    assert list(reader.operations()) == OPERATIONS
    assert reader.head == HEAD
    assert {name: found.count for name, found in reader.sums.items()} == {
        "full_docs": 2,
        "relations": 1,
        "chunks_vdb": 1,
    }


def test_an_archive_without_its_last_frame_is_incomplete() -> None:
    content = written()
    tail = content.rindex(b"TAIL")

    with pytest.raises(ArchiveDamagedError, match="too early"):
        read(content[:tail])


def test_every_byte_matters() -> None:
    content = written()

    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0x10
        with pytest.raises(ArchiveDamagedError):
            read(bytes(changed))


def test_every_missing_end_is_noticed() -> None:
    content = written()

    for length in range(len(content)):
        with pytest.raises(ArchiveDamagedError):
            read(content[:length])


def test_a_lost_operation_is_noticed() -> None:
    content = written()
    first = content.index(b"OPER")
    second = content.index(b"OPER", first + 4)

    with pytest.raises(ArchiveDamagedError):
        read(content[:first] + content[second:])


def test_what_follows_the_end_is_damage() -> None:
    with pytest.raises(ArchiveDamagedError):
        read(written() + b"x")


def test_an_archive_of_a_newer_version_is_told() -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    file.seek(0)
    file.truncate()
    file.write(b"ragfleet-archive-1\n")
    writer._frame(b"HEAD", b'{"workspace": "a", "dimension": 2, "news": 1}')
    file.seek(0)

    with pytest.raises(ArchiveDamagedError, match="newer version"):
        ArchiveReader(file)


def test_an_archive_without_vectors_goes_into_any_installation(tmp_path: Path) -> None:
    path = tmp_path / "empty.ragfleet"
    with path.open("wb") as file:
        ArchiveWriter(file, replace(HEAD, dimension=0)).finish()

    assert ArchiveSource(ArchiveFile(path)).dimension() is None


@pytest.mark.parametrize(
    "operation",
    [
        Operation(Kind.REMOVE_ROWS, "full_docs", ["a"]),
        Operation(Kind.PUT_ROWS, "__class__", [["a", {}]]),
        Operation(Kind.PUT_ROWS, "doc_status", [["a", {}]]),
        Operation(Kind.PUT_EDGES, "chunk_entity_relation_graph", [["a", {}]]),
    ],
)
def test_operations_that_fill_no_workspace_are_refused(operation: Operation) -> None:
    given = []
    reader = ArchiveReader(io.BytesIO(made_up(encode([operation], dimension=2)[0])))
    with pytest.raises(ArchiveDamagedError):
        given.extend(one.kind for one in reader.operations())
    assert given == []


@pytest.mark.parametrize("part", [b"", b"xy", struct.pack("<I", 4) + b"nope"])
def test_parts_that_are_none_are_refused(part: bytes) -> None:
    with pytest.raises(ArchiveDamagedError):
        read(made_up(part))


def made_up(part: bytes) -> bytes:
    """An archive whose checksums are right, and whose content nobody of ours has written."""
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    writer._frame(b"OPER", part)
    writer.finish()
    return file.getvalue()


def test_a_made_up_length_takes_no_memory() -> None:
    content = written()
    place = content.index(b"OPER") + 4
    longer = content[:place] + struct.pack("<Q", 1 << 31) + content[place + 8 :]

    with pytest.raises(ArchiveDamagedError, match="too early"):
        read(longer)


def test_a_part_that_swells_up_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LONGEST_TEXT_BYTES", 1 << 20)
    packed = zlib.compress(b"[" + b" " * (4 << 20) + b"]")

    with pytest.raises(ArchiveDamagedError):
        read(made_up(struct.pack("<I", len(packed)) + packed))


def test_what_would_not_be_read_again_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LONGEST_TEXT_BYTES", 1000)
    monkeypatch.setattr(archive, "_SURELY_SHORT_BYTES", 0)
    writer = ArchiveWriter(io.BytesIO(), HEAD)
    row = ["a", {"content": "x" * 2000}]

    with pytest.raises(UnstorableRecordError):
        writer.write(Operation(Kind.PUT_ROWS, "full_docs", [row]))


@pytest.mark.parametrize(
    "fields",
    [
        ["put_vectors", "chunks_vdb", [["a", {}]], 4],  # half a vector
        ["put_vectors", "chunks_vdb", [["a", {}]], 0],  # none at all
        ["put_vectors", "chunks_vdb", [["a", {}]], -8],
        ["put_vectors", "chunks_vdb", [["a", {}]], 10**18],
        ["put_vectors", "chunks_vdb", [["a", {}]], "8"],
        ["put_rows", "full_docs", [["a", "text"]], 0],
        ["put_rows", "full_docs", [[1, {}]], 0],
        ["put_rows", "full_docs", {"a": {}}, 0],
        ["put_rows", "full_docs", 7, 0],
        ["nonsense", "full_docs", [["a", {}]], 0],
    ],
)
def test_made_up_operations_are_refused(fields: list[object]) -> None:
    packed = zlib.compress(json.dumps([fields]).encode())

    with pytest.raises(ArchiveDamagedError):
        read(made_up(struct.pack("<I", len(packed)) + packed + bytes(4)))


def test_a_part_nested_without_end_is_refused() -> None:
    packed = zlib.compress(b"[" * 200_000)

    with pytest.raises(ArchiveDamagedError):
        read(made_up(struct.pack("<I", len(packed)) + packed))


@pytest.mark.parametrize("dimension", ['"8"', "-1", "null", "1.5"])
def test_a_made_up_dimension_is_refused(dimension: str) -> None:
    head = (
        '{"workspace": "a", "dimension": ' + dimension + ', "embedding_model": "", '
        '"made_at": "", "version": ""}'
    )
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEAD)
    file.seek(0)
    file.truncate()
    file.write(b"ragfleet-archive-1\n")
    writer._frame(b"HEAD", head.encode())
    file.seek(0)

    with pytest.raises(ArchiveDamagedError):
        ArchiveReader(file)
