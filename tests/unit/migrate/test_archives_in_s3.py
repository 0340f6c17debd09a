"""An archive in a bucket: streamed both ways, there when it is whole, never written over."""

import hashlib
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.migrate.archive_places import ArchiveFile, ArchivePlace, archive_at
from ops.migrate.errors import (
    ArchiveDamagedError,
    PlaceError,
    SourceNotFoundError,
    SourceUnreadableError,
    TargetNotEmptyError,
)
from ops.migrate.exporting import check, export
from ops.migrate.history.items import HistoryItem, Upload
from ops.migrate.places import Place, PlaceKind, parse_place
from ops.migrate.source import ArchiveSource
from shared.errors import ObjectStoreMissingError, ObjectStoreRefusedError
from shared.objects.s3.bucket import open_bucket
from shared.objects.s3.writer import written_to_s3
from shared.settings import Settings, load_settings
from shared.settings_s3 import S3Settings
from tests.s3_server import S3Server, refusing
from tests.unit.migrate.test_exporting import Nobody
from worker.commit.operations import Kind, Operation

# Texts that compress badly: the archive has several parts.
ROWS = [[f"doc-{number}", {"content": os.urandom(1_000_000).hex()}] for number in range(10)]
UPLOAD = os.urandom(300_000)


class Whole:
    """A source of ten megabytes, an upload among them; may break at the end."""

    embedding_model = "e5"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def dimension(self) -> int | None:
        return None

    def fingerprint(self) -> str:
        return ""

    async def operations(self) -> AsyncIterator[Operation]:
        for row in ROWS:
            yield Operation(Kind.PUT_ROWS, "full_docs", [row])
        if self.error is not None:
            raise self.error

    async def history(self) -> AsyncIterator[HistoryItem]:
        async def pieces() -> AsyncIterator[bytes]:
            yield UPLOAD

        yield Upload("uploads/w/1", len(UPLOAD), hashlib.sha256(UPLOAD).hexdigest(), pieces())


@pytest.fixture
def settings(s3: S3Settings) -> Settings:
    overrides = {"S3_ENDPOINT_URL": s3.endpoint_url, "S3_REGION": s3.region}
    return load_settings(None, overrides=overrides)


@pytest.fixture
def archive(s3: S3Settings, settings: Settings) -> ArchivePlace:
    return archive_at(parse_place(f"archive:s3://{s3.bucket}/house/one.ragfleet"), settings)


def put(s3: S3Settings, content: bytes) -> None:
    with written_to_s3(open_bucket(s3), "house/one.ragfleet", replaces=True) as file:
        file.write(content)


async def test_what_was_written_is_read_back_item_for_item(archive: ArchivePlace) -> None:
    sums = await export(Whole(), archive, workspace="w", progress=Nobody())

    assert await check(archive, Nobody()) == sums
    source = ArchiveSource(archive)
    assert (source.embedding_model, source.dimension()) == ("e5", None)
    rows = [row async for operation in source.operations() for row in operation.rows]
    assert rows == ROWS
    uploads = [
        b"".join([piece async for piece in item.pieces])
        async for item in source.history()
        if isinstance(item, Upload)
    ]
    assert uploads == [UPLOAD]


async def test_it_is_the_same_as_in_a_file(archive: ArchivePlace, tmp_path: Path) -> None:
    file = ArchiveFile(tmp_path / "one.ragfleet")
    assert await export(Whole(), file, workspace="w", progress=Nobody()) == await export(
        Whole(), archive, workspace="w", progress=Nobody()
    )
    assert archive.size_bytes() == file.size_bytes()


async def test_a_source_that_breaks_leaves_nothing_behind(
    archive: ArchivePlace, s3: S3Settings
) -> None:
    with pytest.raises(SourceUnreadableError):
        await export(Whole(SourceUnreadableError()), archive, workspace="w", progress=Nobody())
    client = open_bucket(s3).client
    assert "Contents" not in client.list_objects_v2(Bucket=s3.bucket)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=s3.bucket)


async def test_a_name_that_is_taken_is_refused_before_anything_is_sent(
    archive: ArchivePlace, s3: S3Settings
) -> None:
    put(s3, b"mine")

    with pytest.raises(TargetNotEmptyError, match=r"s3://.*/house/one.ragfleet exists"):
        await export(Whole(AssertionError()), archive, workspace="w", progress=Nobody())
    with archive.reader() as stored:
        assert stored.read() == b"mine"


async def test_a_name_that_was_taken_meanwhile_is_refused_at_the_end(
    archive: ArchivePlace, s3: S3Settings
) -> None:
    def write_both() -> None:
        with archive.writer():
            put(s3, b"mine")

    with pytest.raises(TargetNotEmptyError):
        write_both()
    with archive.reader() as stored:
        assert stored.read() == b"mine"


async def test_a_missing_archive_and_a_missing_bucket_say_so(
    archive: ArchivePlace, settings: Settings
) -> None:
    with pytest.raises(SourceNotFoundError, match="There is no s3://"):
        ArchiveSource(archive).dimension()
    elsewhere = archive_at(parse_place("archive:s3://nowhere/one"), settings)
    with pytest.raises(ObjectStoreMissingError):
        ArchiveSource(elsewhere).dimension()
    with pytest.raises(ObjectStoreMissingError):
        await export(Whole(), elsewhere, workspace="w", progress=Nobody())


async def test_a_bucket_that_is_closed_says_so(s3_server: S3Server, archive: ArchivePlace) -> None:
    s3_server.fault = refusing("403 Forbidden", "AccessDenied")
    with pytest.raises(ObjectStoreRefusedError):
        await export(Whole(), archive, workspace="w", progress=Nobody())


async def test_a_damaged_archive_is_damaged_there_too(
    archive: ArchivePlace, s3: S3Settings
) -> None:
    await export(Whole(), archive, workspace="w", progress=Nobody())
    with archive.reader() as stored:
        content = bytearray(stored.read())
    content[len(content) // 2] ^= 1
    put(s3, content)
    with pytest.raises(ArchiveDamagedError):
        await check(archive, Nobody())


def test_whoever_leaps_reads_the_right_bytes(s3: S3Settings, archive: ArchivePlace) -> None:
    content = os.urandom(2_000_000)
    put(s3, content)
    expected = io.BytesIO(content)
    with archive.reader() as stored:
        for offset, whence in ((10, 0), (300_000, 1), (-5, 1), (-100, 2), (1_500_000, 0), (7, 1)):
            assert stored.seek(offset, whence) == expected.seek(offset, whence)
            assert stored.read(1000) == expected.read(1000)
        assert stored.seek(0, os.SEEK_END) == len(content)
        assert stored.read(1) == b""


@pytest.mark.parametrize(
    "text", ["s3://", "s3://bucket", "s3://bucket/", "s3://bucket/a/", "http://a/b"]
)
def test_an_address_that_names_no_object_is_no_place(text: str) -> None:
    with pytest.raises(PlaceError):
        parse_place(f"archive:{text}")


def test_a_place_in_s3_is_shown_as_it_was_written() -> None:
    place = parse_place("archive:s3://bucket/a/b.ragfleet")
    assert place == Place(PlaceKind.ARCHIVE, Path(), url="s3://bucket/a/b.ragfleet")
    assert str(place) == "archive:s3://bucket/a/b.ragfleet"
