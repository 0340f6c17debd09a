"""A copy that is killed anywhere, or loses its target or its turn on the way, ends equal."""

import asyncio
import os
import random
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from ops.local.ports import free_port
from ops.local.postgres import EmbeddedPostgres
from ops.migrate.archive_places import ArchiveFile
from ops.migrate.comparing import Comparison
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource
from shared.connections import redis_url
from shared.errors import StoreUnavailableError
from shared.settings import load_settings
from tests.integration.engine.own_servers import before_first, new_valkey, running
from tests.integration.engine.shapes import files_variables, server_variables
from tests.integration.migrate.conftest import command
from tests.integration.migrate.here import command_here
from tests.integration.migrate.stock_folder import TEXTS
from tests.integration.migrate.test_faults import digests, into, refused
from tests.integration.migrate.test_moving_a_folder import items_of
from tests.integration.migrate.test_resuming import listed
from worker.commit import operations
from worker.commit.apply.postgres import PostgresStore
from worker.commit.apply.redis import RedisStore
from worker.commit.operations import Kind

KILLS = 20
KILLED = "tests.integration.migrate.killed"
# Operations of two rows, their syncs, the list, and as many comparisons.
WRITES = 80


@pytest.fixture(autouse=True)
def source_stays(stock_folder: Path) -> Iterator[None]:
    """Look after each test whether a byte of the source has changed."""
    before = digests(stock_folder)
    yield
    assert digests(stock_folder) == before


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variables", ["valkey", "neo4j"], indirect=True)
async def test_twenty_kills_at_random_points_leave_nothing_behind(
    stock_folder: Path,
    variables: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "_ROWS", 2)  # as in those that are killed
    ragfleet = command_here({"TASK_LEASE_S": "10", **variables})
    seed = secrets.randbelow(1 << 30)
    print(f"\nseed {seed}")  # noqa: T201 - to repeat it
    choose = random.Random(seed)  # noqa: S311 - to repeat it
    kills, workspaces = 0, 0
    while kills < KILLS:
        workspaces += 1
        name = f"killed{workspaces}"
        words = ("migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", name)
        # Several kills in the same copy: each goes on where the last one left.
        for _ in range(choose.randint(1, 5)):
            write = choose.randint(1, WRITES)
            done = await asyncio.to_thread(
                command(variables, module=KILLED), f"{write}+2rows", *words
            )
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL, done.stderr
            kills += 1
        else:
            done = await asyncio.to_thread(ragfleet, *words)
        assert done.returncode == 0, done.stderr
        assert await listed(variables, name) == set(TEXTS)
        out = tmp_path / f"{name}.ragfleet"
        words = ("migrate", "--from", "settings", "--source-workspace", name)
        done = await asyncio.to_thread(ragfleet, *words, "--to", f"archive:{out}")
        assert done.returncode == 0, done.stderr
        source = FolderSource.in_folder(stock_folder, "")
        assert await items_of(ArchiveSource(ArchiveFile(out))) == await items_of(source), (
            seed,
            name,
        )


@pytest.mark.long
async def test_a_redis_that_goes_away_on_the_way_and_comes_back(
    stock_folder: Path,
    fresh_database: str,
    open_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(new_valkey(open_folder)) as valkey:
        variables = server_variables("valkey", tmp_path, fresh_database, valkey.server.url())
        ragfleet = command_here(variables)

        async def stop() -> None:
            os.kill(valkey.child.pid, signal.SIGKILL)

        before_first(monkeypatch, RedisStore, Kind.PUT_ROWS, stop)
        done = await asyncio.to_thread(ragfleet, *into(stock_folder))
        assert "Redis is not reachable" in refused(done, "store_unavailable")
        await valkey.stop()
        await valkey.start()
        done = await asyncio.to_thread(ragfleet, *into(stock_folder))
        assert done.returncode == 0, done.stderr


@pytest.mark.long
async def test_a_postgresql_that_goes_away_on_the_way_and_comes_back(
    stock_folder: Path, open_folder: Path, tmp_path: Path, fresh_valkey: str, monkeypatch: Any
) -> None:
    server = EmbeddedPostgres(
        open_folder, free_port(), user="fleet", password="of a test", database="fleet"
    )
    async with running(server) as postgres:
        variables = server_variables("valkey", tmp_path, server.url(), fresh_valkey)
        ragfleet = command_here(variables)

        async def stop() -> None:
            os.kill(postgres.child.pid, signal.SIGQUIT)  # it ends at once, as in a crash

        before_first(monkeypatch, PostgresStore, Kind.PUT_NODES, stop)
        done = await asyncio.to_thread(ragfleet, *into(stock_folder))
        assert done.returncode == 1
        assert done.stderr.startswith(("store_unavailable: ", "ledger_unavailable: "))
        await postgres.stop()
        await postgres.start()
        done = await asyncio.to_thread(ragfleet, *into(stock_folder))
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("variables", ["valkey"], indirect=True)
async def test_a_target_that_was_emptied_on_the_way_differs_and_is_replaced(
    stock_folder: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ragfleet = command_here(variables)
    with monkeypatch.context() as patched:

        async def away(*_arguments: Any) -> None:
            raise StoreUnavailableError

        patched.setattr(Comparison, "compare", away)
        done = await asyncio.to_thread(ragfleet, *into(stock_folder))
        refused(done, "store_unavailable")
    settings = load_settings(None, overrides=variables)
    async with Redis.from_url(redis_url(settings.redis)) as redis:
        await redis.flushall()

    done = await asyncio.to_thread(ragfleet, *into(stock_folder))
    assert "--replace" in refused(done, "migration_differs")
    done = await asyncio.to_thread(ragfleet, *into(stock_folder), "--replace", "--yes")
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize("variables", ["files", "valkey"], indirect=True)
async def test_of_two_at_once_the_second_is_refused(
    stock_folder: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-m", KILLED, f"5+{go}", *into(stock_folder),
        env={"TASK_LEASE_S": "2", **variables, "PATH": os.defpath},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    while not go.with_suffix(".reached").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)

    second = await asyncio.to_thread(command(variables), *into(stock_folder))
    if variables["USE_EXTERNAL_STORAGE"] == "false":
        assert (second.returncode, "in use by another process" in second.stderr) == (2, True)
    else:
        refused(second, "workspace_busy")  # type: ignore[arg-type] # it has the same fields
    go.touch()
    assert await first.wait() == 0


async def test_a_source_that_changes_on_the_way_is_told(
    stock_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stock_folder, folder)
    ragfleet = command_here(files_variables(tmp_path / "data"))
    compare = FolderSource.operations
    readings: list[int] = []

    async def changing(self: FolderSource) -> Any:
        readings.append(1)
        async for operation in compare(self):
            yield operation
        if len(readings) == 2:  # the first only looks
            (folder / "kv_store_full_docs.json").touch()

    monkeypatch.setattr(FolderSource, "operations", changing)
    done = await asyncio.to_thread(ragfleet, *into(folder))
    refused(done, "source_changed")
