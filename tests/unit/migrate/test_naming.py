"""A file that was written as a whole gets its name, and takes it from nobody."""

import errno
import os
from pathlib import Path

import pytest

from ops.backup.errors import BackupExistsError
from ops.backup.places import DirectoryBackupPlace
from ops.migrate.archive_places import ArchiveFile
from ops.migrate.errors import TargetNotEmptyError
from ops.migrate.naming import give_name


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    path = tmp_path / "a.part"
    path.write_bytes(b"second")
    return path


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look finds the name free: another writer comes right after it."""
    monkeypatch.setattr(Path, "exists", lambda _self: False)


def test_a_name_that_is_taken_stays_with_its_file(unfinished: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        give_name(unfinished, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"first"


@pytest.mark.usefixtures("without_links")
def test_a_disk_without_links_renames_what_has_a_free_name(
    unfinished: Path, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        give_name(unfinished, tmp_path / "a")
    give_name(unfinished, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert (tmp_path / "b").read_bytes() == b"second"


def test_the_folder_is_on_the_disk_with_the_new_name(
    unfinished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def fsync(descriptor: int) -> None:
        is_folder = os.path.samestat(os.fstat(descriptor), tmp_path.stat())
        synced.append((is_folder, {path.name for path in tmp_path.iterdir()}))

    monkeypatch.setattr(os, "fsync", fsync)
    give_name(unfinished, tmp_path / "a")
    assert synced == [(True, {"a", "a.part"})]


@pytest.mark.usefixtures("blind")
def test_an_archive_does_not_replace_one_that_came_unseen(tmp_path: Path) -> None:
    path = tmp_path / "a.ragfleet"
    path.write_bytes(b"first")
    with pytest.raises(TargetNotEmptyError), ArchiveFile(path).writer() as file:
        file.write(b"second")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [(path.name, b"first")]


@pytest.mark.usefixtures("blind")
def test_a_backup_does_not_replace_one_that_came_unseen(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"first")
    with pytest.raises(BackupExistsError), DirectoryBackupPlace(tmp_path).writer("a") as file:
        file.write(b"second")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a", b"first")]
