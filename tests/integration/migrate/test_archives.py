"""A workspace goes into one file, and comes out of it as it was."""

from pathlib import Path

import pytest

from ops.migrate.archive_places import ArchiveFile
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.here import Here


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return files_variables(tmp_path / "data")


@pytest.fixture
def ragfleet(ragfleet_here: Here) -> Here:
    """In this process: archives are files, which another process would read the same."""
    return ragfleet_here


@pytest.fixture
def archive(stock_folder: Path, ragfleet: Here, tmp_path: Path) -> Path:
    path = tmp_path / "stock.ragfleet"
    done = ragfleet("migrate", "--from", f"folder:{stock_folder}", "--to", f"archive:{path}")
    assert done.returncode == 0, done.stderr
    return path


async def test_the_archive_gives_the_same_operations(stock_folder: Path, archive: Path) -> None:
    ours = [operation async for operation in ArchiveSource(ArchiveFile(archive)).operations()]
    source = FolderSource.in_folder(stock_folder, "")
    assert ours == [operation async for operation in source.operations()]


def test_an_archive_fills_an_installation(archive: Path, ragfleet: Here) -> None:
    done = ragfleet("migrate", "--from", f"archive:{archive}", "--to", "settings", "-w", "back")

    assert done.returncode == 0, done.stderr
    assert "3 documents are listed" in done.stdout


def test_an_archive_is_never_overwritten(stock_folder: Path, archive: Path, ragfleet: Here) -> None:
    before = archive.read_bytes()
    words = ("migrate", "--from", f"folder:{stock_folder}", "--to", f"archive:{archive}")

    assert ragfleet(*words).returncode == 1
    assert archive.read_bytes() == before
    assert ragfleet(*words, "--verify-only").returncode == 0


def test_a_damaged_archive_fills_nothing(archive: Path, ragfleet: Here) -> None:
    content = bytearray(archive.read_bytes())
    content[-200] ^= 1
    archive.write_bytes(content)

    done = ragfleet("migrate", "--from", f"archive:{archive}", "--to", "settings", "-w", "back")
    assert done.returncode == 1
    assert "damaged" in done.stderr


def test_a_dry_run_writes_nothing(stock_folder: Path, ragfleet: Here, tmp_path: Path) -> None:
    path = tmp_path / "not-there"
    done = ragfleet(
        "migrate", "--from", f"folder:{stock_folder}", "--to", f"archive:{path}", "--dry-run"
    )

    assert done.returncode == 0
    assert "full_docs" in done.stdout
    assert not path.exists()
