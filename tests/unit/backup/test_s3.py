"""A bucket keeps the promises of a place for backups, as a folder does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ops.backup.errors import (
    BackupExistsError,
    BackupNotFoundError,
    BackupPlaceUnavailableError,
)
from ops.backup.s3 import S3BackupPlace
from shared.objects.s3.bucket import open_bucket
from shared.objects.s3.writer import PART_BYTES, S3Writer
from shared.settings import Settings, load_settings
from shared.settings_s3 import S3Settings
from tests.s3_server import App, S3Server, refusing

S3_CLOCKS_MAY_DIFFER = timedelta(minutes=1)


@pytest.fixture
def settings(s3: S3Settings) -> Settings:
    overrides = {"S3_ENDPOINT_URL": s3.endpoint_url, "S3_REGION": s3.region}
    return load_settings(None, overrides=overrides)


@pytest.fixture
def place(s3: S3Settings, settings: Settings) -> S3BackupPlace:
    return S3BackupPlace(s3.bucket, "backups/house", settings)


def write(place: S3BackupPlace, name: str, content: bytes = b"abc") -> None:
    with place.writer(name) as file:
        file.write(content)


def names(place: S3BackupPlace) -> list[str]:
    return [file.name for file in place.list()]


def test_what_was_written_is_listed_and_read(place: S3BackupPlace) -> None:
    assert place.list() == []
    write(place, "b")
    write(place, "a", b"12345" * 2_000_000)

    assert [(file.name, file.size_bytes) for file in place.list()] == [
        ("a", 10_000_000),
        ("b", 3),
    ]
    with place.reader("a") as file:
        assert file.read() == b"12345" * 2_000_000


def test_a_file_has_its_name_only_when_it_is_whole(place: S3BackupPlace) -> None:
    with place.writer("a") as file:
        file.write(b"x" * (PART_BYTES + 1))
        assert names(place) == []
    assert names(place) == ["a"]


def test_what_breaks_leaves_nothing(place: S3BackupPlace, s3: S3Settings) -> None:
    def break_off() -> None:
        with place.writer("a") as file:
            file.write(b"x" * (PART_BYTES + 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert names(place) == []
    assert "Uploads" not in open_bucket(s3).client.list_multipart_uploads(Bucket=s3.bucket)


def test_nothing_is_overwritten(place: S3BackupPlace) -> None:
    write(place, "a", b"first")
    with pytest.raises(BackupExistsError):
        write(place, "a", b"second")
    with pytest.raises(BackupExistsError), place.writer("b"):
        write(place, "b", b"meanwhile")
    with place.reader("b") as file:
        assert file.read() == b"meanwhile"


def test_what_lies_elsewhere_in_the_bucket_is_no_backup(
    place: S3BackupPlace, s3: S3Settings, settings: Settings
) -> None:
    write(S3BackupPlace(s3.bucket, "", settings), "root")
    write(S3BackupPlace(s3.bucket, "backups/house/2025", settings), "old")
    write(S3BackupPlace(s3.bucket, "backups/household", settings), "other")
    write(place, "ours")
    assert names(place) == ["ours"]
    assert names(S3BackupPlace(s3.bucket, "", settings)) == ["root"]


def test_removing_forgives_what_is_missing(place: S3BackupPlace) -> None:
    write(place, "a")
    place.delete("a")
    place.delete("a")
    assert names(place) == []
    with pytest.raises(BackupNotFoundError, match="There is no a in s3://"), place.reader("a"):
        pass


OURS = "notes-20261128T033000Z.ragfleet"


def begin(s3: S3Settings, key: str) -> None:
    """Leave a write as a killed process does."""
    S3Writer(open_bucket(s3), key, replaces=False).write(b"x" * (PART_BYTES + 1))


def unfinished(s3: S3Settings) -> set[str]:
    found = open_bucket(s3).client.list_multipart_uploads(Bucket=s3.bucket)
    return {write["Key"] for write in found.get("Uploads", ())}


def test_what_a_killed_process_left_is_given_up_after_days(
    place: S3BackupPlace, s3: S3Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    half, receipt = f"backups/house/{OURS}", "backups/house/notes-20261128T033000Z.receipt.json"
    deeper = f"backups/house/deeper/{OURS}"
    for key in (half, receipt, deeper):
        begin(s3, key)

    write(place, "a")
    assert unfinished(s3) == {half, receipt, deeper}
    monkeypatch.setattr("ops.backup.s3._ABANDONED_AFTER", -1 * S3_CLOCKS_MAY_DIFFER)
    write(place, "b")
    assert unfinished(s3) == {deeper}


def test_unfinished_writes_of_other_programs_stay_and_are_not_looked_at(
    s3_server: S3Server, s3: S3Settings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_others = {"film.mp4", f"{OURS}.mp4", f"old-{OURS}", f"videos/{OURS}"}
    for key in of_others | {OURS}:
        begin(s3, key)
    looked_at = []

    def watch(_app: App, environ: dict[str, Any], _start: Callable[..., Any]) -> None:
        if environ["REQUEST_METHOD"] == "GET" and "uploadId=" in environ["QUERY_STRING"]:
            looked_at.append(environ["PATH_INFO"])

    s3_server.fault = watch
    monkeypatch.setattr("ops.backup.s3._ABANDONED_AFTER", -1 * S3_CLOCKS_MAY_DIFFER)
    write(S3BackupPlace(s3.bucket, "", settings), "a")
    assert unfinished(s3) == of_others
    assert looked_at == [f"/{s3.bucket}/{OURS}"]


def test_a_bucket_that_is_closed_or_missing_is_an_unavailable_place(
    s3_server: S3Server, place: S3BackupPlace, settings: Settings
) -> None:
    missing = S3BackupPlace("nowhere", "", settings)
    with pytest.raises(BackupPlaceUnavailableError, match="s3://nowhere: There is no such bucket"):
        missing.list()
    with pytest.raises(BackupPlaceUnavailableError):
        write(missing, "a")
    s3_server.fault = refusing("403 Forbidden", "AccessDenied")
    for use in (place.list, lambda: write(place, "a"), lambda: place.delete("a")):
        with pytest.raises(BackupPlaceUnavailableError, match="does not let us in"):
            use()
