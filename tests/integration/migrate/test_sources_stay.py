"""A source is only read: neither its tables nor what it has accepted is changed or left behind."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.objects.factory import open_objects
from shared.settings import Settings, load_settings
from tests.integration.engine.shapes import files_variables, open_fleet
from tests.integration.migrate.here import command_here

if TYPE_CHECKING:
    from shared.objects.memory import MemoryObjectStore

_OLDER = "0006"


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return files_variables(tmp_path / "data")


@pytest.fixture
def settings(variables: dict[str, str], tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return load_settings(None, overrides=variables)


async def test_an_upload_that_waits_and_is_not_there_is_refused(
    variables: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "all.ragfleet"
    async with open_fleet(variables) as fleet:
        objects = cast("MemoryObjectStore", open_objects(settings))
        context = replace(fleet.context, objects=objects)
        waiting = await replace(fleet, context=context, objects=objects).upload("waiting")
        await objects.delete([waiting.object_key])
    words = ("--from", "settings", "--to", f"archive:{archive}", "-w", fleet.workspace)
    said = command_here(variables)("migrate", *words)
    assert said.returncode == 1
    assert said.stderr.startswith(f"source_unreadable: The upload {waiting.object_key} is not")
    assert not archive.exists()


def test_tables_of_an_older_version_are_not_touched(
    variables: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    url = ledger_url(settings)
    migrate(url)
    with sqlite3.connect(str(url.database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [_OLDER])
    words = ("--from", "settings", "--to", f"archive:{tmp_path / 'all.ragfleet'}")
    said = command_here(variables)("migrate", *words)
    assert said.returncode == 1
    assert said.stderr.startswith(f"ledger_revision: The ledger is at revision {_OLDER}, ")
    with sqlite3.connect(str(url.database)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(_OLDER,)]


async def test_an_empty_workspace_is_replaced_whatever_was_begun_there(
    variables: dict[str, str], settings: Settings, stock_folder: Path
) -> None:
    migrate(ledger_url(settings))
    ledger = await Ledger.open(ledger_url(settings))
    made = await ledger.workspaces.create(WorkspaceName("notes"))
    await ledger.close()
    begun = settings.storage.data_dir / "migrations" / f"{made.physical}.json"
    begun.parent.mkdir(parents=True)
    begun.write_text(json.dumps({"source": "another", "seq": 0, "operations": 5}))
    words = ("--from", f"folder:{stock_folder}", "--to", "settings", "-w", "notes")
    ragfleet = command_here(variables)
    assert ragfleet("migrate", *words).stderr.startswith("target_not_empty: ")
    done = ragfleet("migrate", *words, "--replace")
    assert done.returncode == 0, done.stderr
