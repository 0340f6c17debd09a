"""A copy that was killed goes on when the command is given again, and ends equal."""

import asyncio
import signal
from pathlib import Path

import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import load_settings
from tests.integration.migrate.conftest import command
from tests.integration.migrate.stock_folder import TEXTS

# Thirteen kinds of items, their sync, the ledger's list, and the first comparison.
WRITES = 16
SHAPES = pytest.mark.parametrize("variables", ["valkey", "files"], indirect=True)


async def listed(variables: dict[str, str], workspace: str) -> set[str]:
    ledger = await Ledger.open(ledger_url(load_settings(None, overrides=variables)))
    page = await ledger.documents.page(WorkspaceName(workspace), cursor=None, limit=10)
    await ledger.close()
    return {document.doc_id for document in page.rows}


def kill_and_go_on(folder: Path, variables: dict[str, str], *, write: int) -> None:
    workspace = f"killed{write}"
    words = ("migrate", "--from", f"folder:{folder}", "--to", "settings", "-w", workspace)
    killed = command(variables, module="tests.integration.migrate.killed")(str(write), *words)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    done = command(variables)(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert asyncio.run(listed(variables, workspace)) == set(TEXTS)


@SHAPES
@pytest.mark.parametrize(
    "write", [9, *(pytest.param(other, marks=pytest.mark.long) for other in (1, 15, 16))]
)
def test_a_killed_copy_goes_on(stock_folder: Path, variables: dict[str, str], write: int) -> None:
    kill_and_go_on(stock_folder, variables, write=write)


@pytest.mark.long
@SHAPES
def test_a_copy_killed_before_any_write_goes_on(
    stock_folder: Path, variables: dict[str, str]
) -> None:
    for write in range(1, WRITES + 1):
        kill_and_go_on(stock_folder, variables, write=write)
