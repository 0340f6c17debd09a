"""A copy that is killed leaves nothing paused for longer than a lease, and no files."""

import asyncio
import signal
from pathlib import Path

import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import load_settings
from tests.integration.engine.shapes import server_variables
from tests.integration.migrate.conftest import command
from tests.integration.migrate.killed_copy import STEPS

NAME = WorkspaceName("moved")
POLL_S = 0.1


async def free_again(ledger: Ledger) -> None:
    """Wait until committers may write; what was killed may hold it for as long as a lease."""
    async with asyncio.timeout(60):
        while True:
            workspace = await ledger.workspaces.show(NAME)
            if not (workspace.paused or workspace.committing):
                return
            await asyncio.sleep(POLL_S)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_killed_copy_leaves_nothing_paused(
    stock_folder: Path, fresh_database: str, fresh_valkey: str, tmp_path: Path
) -> None:
    variables = server_variables("valkey", tmp_path / "data", fresh_database, fresh_valkey)
    ragfleet = command(variables)
    words = ("migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", NAME)
    done = await asyncio.to_thread(ragfleet, *words)
    assert done.returncode == 0, done.stderr
    before = set((tmp_path / "data").rglob("*"))

    ledger = await Ledger.open(ledger_url(load_settings(None, overrides=variables)))
    target = tmp_path / "copy.ragfleet"
    words = ("migrate", "--from", "settings", "--source-workspace", NAME, "--to")
    for step in STEPS:
        dying = command(variables, module="tests.integration.migrate.killed_copy")
        done = await asyncio.to_thread(dying, step, *words, f"archive:{target}")
        assert done.returncode == -signal.SIGKILL, done.stderr
        await free_again(ledger)
    assert set((tmp_path / "data").rglob("*")) == before
    assert not target.exists()

    done = await asyncio.to_thread(ragfleet, *words, f"archive:{target}")
    assert done.returncode == 0, done.stderr
    assert "Ingestion paused for" in done.stdout
    await ledger.close()
