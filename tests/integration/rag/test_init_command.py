"""`ragfleet init` makes everything a fleet needs, once, whoever else does so."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg

from ops.local.ports import free_port
from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import Settings

RAGFLEET = Path(sys.executable).with_name("ragfleet")
TIMEOUT_S = 110


def typed(variables: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [RAGFLEET, "init"],
        env=variables | {"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
        cwd=folder,  # where no .env lies
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    printed, complaint = await asyncio.to_thread(process.communicate, timeout=TIMEOUT_S)
    return process.returncode, printed, complaint


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch("SELECT lower(relname) AS name FROM pg_class")
    finally:
        await connection.close()
    return {row["name"] for row in rows}


async def test_two_hosts_at_once_create_everything_for_every_workspace(
    variables: dict[str, str], fresh_database: str, settings: Settings, tmp_path: Path
) -> None:
    both = [typed(variables, tmp_path) for _ in range(2)]
    for code, printed, complaint in await asyncio.gather(*map(ended, both)):
        assert (code, complaint) == (0, "")
        assert "The ledger is up to date." in printed
        assert "Workspace default is ready: RedisKVStorage, PGVectorStorage" in printed
    assert {"tasks", "lightrag_doc_status", "lightrag_graph_nodes"} <= await tables(fresh_database)

    ledger = await Ledger.open(ledger_url(settings))
    for name in ("filled", "other"):
        await ledger.workspaces.create(WorkspaceName(name))
    await ledger.workspaces.remember_embedding(WorkspaceName("filled"), model="another", dim=8)
    await ledger.close()
    code, printed, _ = await ended(typed(variables, tmp_path))
    assert (code, printed.count("is ready")) == (0, 2)
    assert "Workspace filled is left as it is: " in printed


async def test_a_server_that_is_away_is_said_in_a_sentence(
    variables: dict[str, str], tmp_path: Path
) -> None:
    away = str(free_port())
    no_ledger, no_redis = await asyncio.gather(
        ended(typed(variables | {"POSTGRES_PORT": away}, tmp_path)),
        ended(typed(variables | {"REDIS_PORT": away}, tmp_path)),
    )
    assert no_ledger[0] == no_redis[0] == 1
    assert "ledger database is not reachable" in no_ledger[2]
    assert no_redis[2].startswith("store_unavailable: Redis is not reachable")
    assert "Traceback" not in no_ledger[2] + no_redis[2]
