"""A folder of backups shows whole files only, whatever happens while one is written."""

import errno
import os
import stat
from pathlib import Path

import pytest

from ops.backup.errors import (
    BackupExistsError,
    BackupNotFoundError,
    BackupPlaceError,
    BackupPlaceUnavailableError,
)
from ops.backup.places import DirectoryBackupPlace, parse_backup_place
from shared.settings import load_settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def place(folder: Path) -> DirectoryBackupPlace:
    return DirectoryBackupPlace(folder)


def write(place: DirectoryBackupPlace, name: str, content: bytes = b"abc") -> None:
    with place.writer(name) as file:
        file.write(content)


def names(place: DirectoryBackupPlace) -> list[str]:
    return [file.name for file in place.list()]


def test_what_was_written_is_listed_and_read(place: DirectoryBackupPlace, folder: Path) -> None:
    assert place.list() == []
    write(place, "b")
    write(place, "a", b"12345")

    assert [(file.name, file.size_bytes) for file in place.list()] == [("a", 5), ("b", 3)]
    with place.reader("a") as file:
        assert file.read() == b"12345"
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_has_its_name_only_when_it_is_whole(place: DirectoryBackupPlace) -> None:
    with place.writer("a") as file:
        file.write(b"abc")
        assert names(place) == []
    assert names(place) == ["a"]


def test_what_breaks_leaves_nothing(place: DirectoryBackupPlace, folder: Path) -> None:
    write(place, "older")
    with pytest.raises(KeyboardInterrupt), place.writer("a"):
        raise KeyboardInterrupt
    assert [path.name for path in folder.iterdir()] == ["older"]


def test_nothing_is_overwritten(place: DirectoryBackupPlace) -> None:
    write(place, "a", b"first")
    with pytest.raises(BackupExistsError):
        write(place, "a", b"second")
    with pytest.raises(BackupExistsError), place.writer("b"):
        write(place, "b", b"meanwhile")

    with place.reader("b") as file:
        assert file.read() == b"meanwhile"
    assert names(place) == ["a", "b"]


def test_a_full_disk_leaves_the_older_ones_and_nothing_half(
    place: DirectoryBackupPlace, folder: Path
) -> None:
    write(place, "older")
    with pytest.raises(BackupPlaceUnavailableError, match="No space left"), place.writer("a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [path.name for path in folder.iterdir()] == ["older"]


def test_what_a_server_does_is_not_blamed_on_the_disk(place: DirectoryBackupPlace) -> None:
    with pytest.raises(ConnectionResetError), place.writer("a"):
        raise ConnectionResetError(errno.ECONNRESET, "the stores are away")


def test_half_files_of_killed_processes_are_removed_some_day_and_others_stay(
    place: DirectoryBackupPlace, folder: Path
) -> None:
    write(place, "a")
    half = ".notes-20261128T033000Z.ragfleet"
    old, new, other = (folder / name for name in (f"{half}.11.part", f"{half}.22.part", ".x.part"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    assert names(place) == ["a"]

    write(place, "b")
    assert {path.name for path in folder.iterdir()} == {new.name, other.name, "a", "b"}


def test_deleting_twice_is_no_error(place: DirectoryBackupPlace) -> None:
    write(place, "a")
    place.delete("a")
    place.delete("a")
    with pytest.raises(BackupNotFoundError), place.reader("a"):
        pass


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupPlaceUnavailableError, match="file/x cannot be written"):
        write(DirectoryBackupPlace(tmp_path / "file" / "x"), "a")


def test_places_are_folders_or_buckets(tmp_path: Path) -> None:
    settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path)})
    assert str(parse_backup_place("", settings)) == str(tmp_path / "backups")
    assert str(parse_backup_place("/elsewhere", settings)) == "/elsewhere"
    for wrong in ("http://x/y", "s3://", "s3:///prefix"):
        with pytest.raises(BackupPlaceError, match="is no place"):
            parse_backup_place(wrong, settings)
    chosen = load_settings(None, overrides={"BACKUP_TO": str(tmp_path / "chosen")})
    assert str(parse_backup_place("", chosen)) == str(tmp_path / "chosen")
