"""A dry run counts, estimates and writes nothing, in no store."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from shared.connections import ledger_url
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.here import Here, command_here


async def everything_in(variables: dict[str, str]) -> tuple[int, int, int]:
    """Tables and rows of a database, and keys of a Valkey."""
    url = ledger_url(load_settings(None, overrides=variables)).set(
        drivername="postgresql", query={}
    )
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await connection.fetchval(f'SELECT count(*) FROM "{row[0]}"') for row in names]  # noqa: S608
    await connection.close()
    password, port = variables["REDIS_PASSWORD"], variables["REDIS_PORT"]
    async with Redis(host=variables["REDIS_HOST"], port=int(port), password=password) as redis:
        return len(names), sum(rows), await redis.dbsize()


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "variables", ["valkey", pytest.param("neo4j", marks=pytest.mark.long)], indirect=True
)
def test_servers_stay_as_they_were_before_anything_is_there_and_after(
    stock_folder: Path, variables: dict[str, str], ragfleet_here: Here
) -> None:
    into = ("migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "notes")
    out_of = ("migrate", "--from", "settings", "--source-workspace", "notes", "--to", "archive:x")

    assert asyncio.run(everything_in(variables)) == (0, 0, 0)
    plan = ragfleet_here(*into, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "is empty or not there" in plan.stdout
    assert "Estimate" in plan.stdout
    assert ragfleet_here(*out_of, "--dry-run").stderr.startswith("source_not_found: ")
    assert asyncio.run(everything_in(variables)) == (0, 0, 0)
    assert not Path(variables["DATA_DIR"], "rag").exists()

    assert ragfleet_here(*into).returncode == 0
    before = asyncio.run(everything_in(variables))
    plan = ragfleet_here(*into, "--dry-run")
    assert "3 documents are in both" in plan.stdout
    assert "entities are in both" in plan.stdout
    assert "relations are in both" in plan.stdout
    plan = ragfleet_here(*out_of, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    for section in ("full_docs", "entities", "relations", "chunks_vdb", "doc_status"):
        assert section in plan.stdout
    assert asyncio.run(everything_in(variables)) == before


def test_files_stay_as_they_were(stock_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    ragfleet = command_here(files_variables(data))
    into = ("migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "notes")
    out_of = ("migrate", "--from", "settings", "--source-workspace", "notes", "--to", "archive:x")

    assert ragfleet(*into, "--dry-run").returncode == 0
    assert ragfleet(*out_of, "--dry-run").stderr.startswith("source_not_found: ")
    assert not data.exists()

    assert ragfleet(*into).returncode == 0
    before = files_in(data)
    assert "3 documents are in both" in ragfleet(*into, "--dry-run").stdout
    assert "relations" in ragfleet(*out_of, "--dry-run").stdout
    assert files_in(data) == before


def test_a_ledger_that_was_not_closed_is_read_and_left_alone(
    stock_folder: Path, tmp_path: Path
) -> None:
    import sqlite3  # noqa: PLC0415

    data = tmp_path / "data"
    ragfleet = command_here(files_variables(data))
    into = ("migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "notes")
    assert ragfleet(*into).returncode == 0
    connection = sqlite3.connect(data / "ledger.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE documents SET deleted = 1 WHERE doc_id = 'apollo'")
    connection.commit()
    assert (data / "ledger.db-wal").stat().st_size
    before = files_in(data)

    assert "holds 2 listed documents" in ragfleet(*into, "--dry-run").stdout
    assert files_in(data) == before
    connection.close()


def test_a_folder_that_is_taken_is_named_before_anything_is_read_for_nothing(
    stock_folder: Path, tmp_path: Path
) -> None:
    ragfleet = command_here(files_variables(tmp_path / "data"))
    words = ("migrate", "--from", f"folder:{stock_folder}", "--to", f"folder:{stock_folder}")

    assert "name another folder" in ragfleet(*words, "--dry-run").stdout
    assert "name another folder" not in ragfleet(*words, "-w", "notes", "--dry-run").stdout
