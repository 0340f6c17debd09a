"""`--replace` deletes what a workspace holds, after a question, and fills it anew."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import command
from tests.integration.migrate.here import Here, command_here
from tests.integration.migrate.stock_folder import TEXTS
from tests.integration.migrate.test_resuming import listed

SERVERS = pytest.mark.parametrize("variables", ["valkey"], indirect=True)


async def generation(variables: dict[str, str], workspace: str) -> int:
    ledger = await Ledger.open(ledger_url(load_settings(None, overrides=variables)))
    found = await ledger.workspaces.get(WorkspaceName(workspace))
    await ledger.close()
    return found.generation


def filled(ragfleet: Here, folder: Path, workspace: str = "notes") -> tuple[str, ...]:
    words = ("migrate", "--from", f"folder:{folder}", "--to", "settings", "-w", workspace)
    done = ragfleet(*words)
    assert done.returncode == 0, done.stderr
    return words


@SERVERS
def test_a_filled_workspace_is_refused_and_the_sentence_names_the_ways_out(
    stock_folder: Path, ragfleet_here: Here
) -> None:
    words = filled(ragfleet_here, stock_folder)

    said = ragfleet_here(*words)
    assert said.returncode == 1
    assert said.stderr.startswith("target_not_empty: ")
    assert "--replace" in said.stderr


@SERVERS
def test_what_was_there_is_deleted_and_what_comes_is_whole(
    stock_folder: Path, variables: dict[str, str], ragfleet_here: Here
) -> None:
    words = filled(ragfleet_here, stock_folder)

    asked = ragfleet_here(*words, "--replace")
    assert asked.returncode == 2
    assert "workspace notes with its 3 documents" in asked.stderr
    assert asyncio.run(generation(variables, "notes")) == 1

    done = ragfleet_here(*words, "--replace", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert asyncio.run(generation(variables, "notes")) == 2
    assert asyncio.run(listed(variables, "notes")) == set(TEXTS)
    plan = ragfleet_here(*words, "--dry-run")
    assert "holds 3 listed documents" in plan.stdout
    assert "3 documents are in both" in plan.stdout


@pytest.mark.long
@pytest.mark.parametrize("variables", ["valkey", "files"], indirect=True)
@pytest.mark.parametrize("moment", ["emptied", "dropped"])
def test_a_replacement_that_was_killed_goes_on(
    stock_folder: Path, variables: dict[str, str], ragfleet_here: Here, moment: str
) -> None:
    words = filled(ragfleet_here, stock_folder)
    killed = command(variables, module="tests.integration.migrate.killed_replacing")(
        moment, *words, "--replace", "--yes"
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    done = ragfleet_here(*words, "--replace")  # it was confirmed, and nothing is left to be deleted
    assert done.returncode == 0, done.stdout + done.stderr
    assert asyncio.run(listed(variables, "notes")) == set(TEXTS)
    assert asyncio.run(generation(variables, "notes")) == 2


def test_a_workspace_never_replaces_itself(stock_folder: Path, tmp_path: Path) -> None:
    variables = files_variables(tmp_path / "data")
    ragfleet = command_here(variables)
    filled(ragfleet, stock_folder)
    source = tmp_path / "data" / "rag"
    words = ("--from", f"folder:{source}", "--source-workspace", "notes", "--to", "settings")

    said = ragfleet("migrate", *words, "-w", "notes", "--replace", "--yes")
    assert said.returncode == 2
    assert "source is the workspace" in said.stderr
    assert asyncio.run(listed(variables, "notes")) == set(TEXTS)


def test_a_damaged_source_deletes_nothing(stock_folder: Path, tmp_path: Path) -> None:
    variables = files_variables(tmp_path / "data")
    ragfleet = command_here(variables)
    filled(ragfleet, stock_folder)
    damaged = tmp_path / "damaged"
    shutil.copytree(stock_folder, damaged)
    os.truncate(damaged / "kv_store_doc_status.json", 50)
    words = ("--from", f"folder:{damaged}", "--to", "settings", "-w", "notes")

    said = ragfleet("migrate", *words, "--replace", "--yes")
    assert said.returncode == 1
    assert "kv_store_doc_status.json" in said.stderr
    assert asyncio.run(listed(variables, "notes")) == set(TEXTS)
