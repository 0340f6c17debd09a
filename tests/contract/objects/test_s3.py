"""What only a store behind a network can do wrong: S3 away, closed, broken off, or silent."""

import os
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import boto3
import pytest

from shared.errors import (
    ObjectNotFoundError,
    ObjectStoreMissingError,
    ObjectStoreRefusedError,
    ObjectStoreUnavailableError,
    SettingsError,
)
from shared.ids import ObjectKey
from shared.objects.s3 import bucket as bucket_module
from shared.objects.s3.bucket import Bucket, open_bucket
from shared.objects.s3.reader import BLOCK_BYTES, read_from_s3
from shared.objects.s3.store import S3ObjectStore
from shared.objects.s3.writer import PART_BYTES, S3Writer, written_to_s3
from shared.settings_s3 import S3Settings
from tests.s3_server import App, S3Server, refusing

KEY = ObjectKey("uploads/default/0001")


@pytest.fixture(autouse=True)
def _soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is away in a test stays so."""
    monkeypatch.setattr(bucket_module, "_ATTEMPTS", 2)


@pytest.fixture
def objects(s3: S3Settings) -> S3ObjectStore:
    return S3ObjectStore(s3, "objects")


@pytest.fixture
def bucket(s3: S3Settings) -> Bucket:
    return open_bucket(s3)


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def keys_in(bucket: Bucket) -> list[str]:
    return [
        found["Key"]
        for found in bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", ())
    ]


def unfinished_in(bucket: Bucket) -> list[str]:
    found = bucket.client.list_multipart_uploads(Bucket=bucket.name)
    return [upload["Key"] for upload in found.get("Uploads", ())]


async def test_a_write_that_was_killed_shows_nothing_and_is_listed_for_the_sweeper(
    objects: S3ObjectStore, bucket: Bucket
) -> None:
    killed = S3Writer(bucket, f"objects/{KEY}", replaces=True)
    killed.write(b"x" * (PART_BYTES + 1))
    assert keys_in(bucket) == []
    with pytest.raises(ObjectNotFoundError):
        async with objects.as_file(KEY):
            pass
    assert [key async for key in objects.older_than(3600)] == []  # its last part is new
    [listed] = [key async for key in objects.older_than(-60)]
    await objects.delete([listed])
    assert unfinished_in(bucket) == []
    await objects.delete([listed])  # gone already


async def test_what_others_keep_in_the_bucket_is_not_ours_to_list(
    s3: S3Settings, objects: S3ObjectStore, bucket: Bucket
) -> None:
    bucket.client.put_object(Bucket=bucket.name, Key="backups/one", Body=b"")
    bucket.client.put_object(Bucket=bucket.name, Key="objects-of-others/one", Body=b"")
    await S3ObjectStore(s3, "files_mode_objects").put(KEY, stream(b"x"))
    assert [key async for key in objects.older_than(-60)] == []


async def test_a_server_that_was_away_is_used_again_when_it_is_back(
    s3_server: S3Server, objects: S3ObjectStore
) -> None:
    await objects.put(KEY, stream(b"x"))
    s3_server.stop()
    try:
        with pytest.raises(ObjectStoreUnavailableError):
            await objects.put(ObjectKey("uploads/default/0002"), stream(b"y"))
    finally:
        s3_server.start()
    async with objects.as_file(KEY) as path:
        assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("403 Forbidden", "AccessDenied", ObjectStoreRefusedError),
        ("403 Forbidden", "SignatureDoesNotMatch", ObjectStoreRefusedError),
        ("400 Bad Request", "ExpiredToken", ObjectStoreRefusedError),
        ("404 Not Found", "NoSuchBucket", ObjectStoreMissingError),
        ("400 Bad Request", "AuthorizationHeaderMalformed", ObjectStoreMissingError),
        ("503 Slow Down", "SlowDown", ObjectStoreUnavailableError),
        ("400 Bad Request", "Whatever", ObjectStoreUnavailableError),
    ],
)
async def test_each_refusal_has_a_code_of_its_own(
    s3_server: S3Server,
    objects: S3ObjectStore,
    status: str,
    code: str,
    error: type[ObjectStoreUnavailableError],
) -> None:
    s3_server.fault = refusing(status, code)
    with pytest.raises(ObjectStoreUnavailableError) as raised:
        await objects.put(KEY, stream(b"x"))
    assert type(raised.value) is error


async def test_a_bucket_that_is_missing_is_named_by_every_method(s3: S3Settings) -> None:
    objects = S3ObjectStore(s3.model_copy(update={"bucket": "nowhere"}), "objects")
    with pytest.raises(ObjectStoreMissingError):
        await objects.ping()
    with pytest.raises(ObjectStoreMissingError):
        await objects.put(KEY, stream(b"x" * (PART_BYTES + 1)))
    with pytest.raises(ObjectStoreMissingError):
        async with objects.as_file(KEY):
            pass
    with pytest.raises(ObjectStoreMissingError):
        await objects.delete([KEY])
    with pytest.raises(ObjectStoreMissingError):
        _ = [key async for key in objects.older_than(0)]


async def test_without_credentials_a_sentence_says_where_they_belong(
    objects: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ObjectStoreRefusedError, match="AWS_ACCESS_KEY_ID"):
        await objects.ping()


async def test_a_profile_that_is_not_there_is_a_refusal(
    objects: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ObjectStoreRefusedError):
        await objects.ping()


def test_an_address_without_a_host_is_a_wrong_setting(s3: S3Settings) -> None:
    with pytest.raises(SettingsError, match="S3_ENDPOINT_URL"):
        open_bucket(s3.model_copy(update={"endpoint_url": "http://"}))


@pytest.mark.parametrize("size", [1, PART_BYTES + 1], ids=["one request", "parts"])
def test_a_commit_whose_answer_was_lost_is_a_commit(
    s3_server: S3Server, bucket: Bucket, size: int
) -> None:
    lost: list[str] = []

    def lose(
        app: App, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes] | None:
        query = environ["QUERY_STRING"]
        is_commit = environ["REQUEST_METHOD"] in {"PUT", "POST"} and (
            "partNumber" not in query and not query.startswith("uploads")
        )
        if not is_commit or lost:
            return None
        lost.append(query)
        list(app(environ, lambda *_: None))  # it is carried out
        return refusing("500 Internal Server Error", "InternalError")(
            app, environ | {"CONTENT_LENGTH": "0"}, start_response
        )

    s3_server.fault = lose
    with written_to_s3(bucket, "archive") as file:
        file.write(b"x" * size)
    assert lost
    assert keys_in(bucket) == ["archive"]


def test_a_name_that_is_taken_is_not_written_again(bucket: Bucket) -> None:
    with written_to_s3(bucket, "archive") as file:
        file.write(b"first")
    for size in (1, PART_BYTES + 1):
        with pytest.raises(FileExistsError), written_to_s3(bucket, "archive") as file:
            file.write(b"x" * size)
    assert unfinished_in(bucket) == []
    assert read_from_s3(bucket, "archive").read() == b"first"


def test_a_block_that_raises_leaves_no_part(bucket: Bucket) -> None:
    def write() -> None:
        with written_to_s3(bucket, "archive") as file:
            file.write(b"x" * (PART_BYTES + 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert keys_in(bucket) == unfinished_in(bucket) == []


def test_what_stops_coming_is_asked_for_again(s3_server: S3Server, bucket: Bucket) -> None:
    content = os.urandom(BLOCK_BYTES + 1000)
    with written_to_s3(bucket, "archive") as file:
        file.write(content)
    broken: list[str] = []

    def break_off(
        app: App, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes] | None:
        if environ["REQUEST_METHOD"] != "GET" or broken:
            return None
        broken.append(environ["HTTP_RANGE"])
        whole = b"".join(app(environ, start_response))
        return [whole[: len(whole) // 2]]  # fewer bytes than the header says

    s3_server.fault = break_off
    with read_from_s3(bucket, "archive") as stored:
        assert stored.read() == content
    assert broken


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(bucket: Bucket) -> None:
    with written_to_s3(bucket, "archive") as file:
        file.write(b"a" * (BLOCK_BYTES + 1))
    with read_from_s3(bucket, "archive") as stored:
        stored.read(10)
        with written_to_s3(bucket, "archive", replaces=True) as file:
            file.write(b"b" * (BLOCK_BYTES + 1))
        with pytest.raises(ObjectNotFoundError, match="replaced"):
            stored.read()
