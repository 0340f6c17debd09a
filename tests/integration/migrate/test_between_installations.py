"""A workspace moves from one installation to another and back, each with settings of its own."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.migrate.archive_places import ArchiveFile
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource
from tests.integration.engine.shapes import files_variables, server_variables
from tests.integration.migrate.conftest import Command, command
from tests.integration.migrate.test_moving_a_folder import items_of, receipt_in


def write(path: Path, variables: Mapping[str, str]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    return f"settings:{path}"


@pytest.fixture
def variables() -> dict[str, str]:
    """None: each end says its own."""
    return {}


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_there_and_back(
    stock_folder: Path, fresh_database: str, fresh_valkey: str, tmp_path: Path
) -> None:
    ragfleet = command({"POSTGRES_HOST": "not.of.a.file", "COLUMNS": "300"}, timeout_s=600)
    quick = {"TASK_LEASE_S": "5"}
    old = write(tmp_path / "old/.env", quick | files_variables(Path("data")))
    servers = server_variables("valkey", Path("data"), fresh_database, fresh_valkey)
    new = write(
        tmp_path / "new/.env", quick | servers | {"REDIS_PASSWORD": "wrong of secret words"}
    )

    said = done(ragfleet, "--from", f"folder:{stock_folder}", "--to", old)
    assert "Step" not in said

    moving = ("--from", old, "--to", new, "-w", "moved", "--source-workspace", "default")
    refused = ragfleet("migrate", *moving)
    assert refused.returncode == 1
    assert refused.stderr.startswith("store_refused: Redis does not let us in")
    assert "Traceback" not in refused.stderr
    assert "secret words" not in refused.stdout + refused.stderr
    [kept] = (tmp_path / "new/data/migrations").glob("between-*.ragfleet")
    assert kept.stat().st_mode & 0o777 == 0o600

    write(tmp_path / "new/.env", quick | servers)
    said = done(ragfleet, *moving)
    assert "Step 1 of 2 was done" in said
    assert "write full_docs" not in said
    assert not kept.exists()
    assert receipt_in(tmp_path / "new/data")["from"] == old

    said = done(ragfleet, *moving, "--replace", "--yes")
    assert "Deleting what is in moved" in said
    assert receipts_name_generation(tmp_path / "new/data", "moved__g2")

    third = write(tmp_path / "third/.env", quick | files_variables(Path("data")))
    done(ragfleet, "--from", new, "--to", third, "-w", "moved", "--archive-dir", str(tmp_path))
    out = tmp_path / "third.ragfleet"
    done(ragfleet, "--from", third, "--to", f"archive:{out}", "-w", "moved")
    source = FolderSource.in_folder(stock_folder, "")
    assert await items_of(ArchiveSource(ArchiveFile(out))) == await items_of(source)
    assert not any(path.name.startswith("between-") for path in sorted_of(tmp_path))


def receipts_name_generation(folder: Path, physical: str) -> bool:
    return any(physical in path.read_text() for path in folder.glob("migrations/*.receipt.json"))


def sorted_of(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def done(ragfleet: Command, *words: str) -> str:
    ended = ragfleet("migrate", *words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_missing_file_is_a_wrong_setting(tmp_path: Path) -> None:
    missing = f"settings:{tmp_path / 'missing.env'}"
    ended = command({})("migrate", "--from", missing, "--to", "settings")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("invalid_settings: The settings in")
