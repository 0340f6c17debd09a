import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest
from neo4j import AsyncGraphDatabase
from redis.asyncio import Redis

from ops.local.errors import DataDirUnusableError, PasswordChangedError
from ops.local.identity import working_in
from ops.local.neo4j import EmbeddedNeo4j
from ops.local.ports import free_port
from ops.local.postgres import EmbeddedPostgres
from ops.local.valkey import EmbeddedValkey
from tests.services import Neo4jServer, start

QUOTED = "a 'quoted' pass/word"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change the user")


def postgres_in(folder: Path, password: str = QUOTED) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, free_port(), user="fleet", password=password, database="fleet")


async def test_postgres_answers_with_pgvector_and_unicode_case(fresh_database: str) -> None:
    connection = await asyncpg.connect(fresh_database.replace("+asyncpg", ""))
    distance = await connection.fetchval("SELECT '[1,2]'::halfvec <-> '[1,4]'::halfvec")
    lowered = await connection.fetchval("SELECT lower('ÄÉ')")
    ordered = await connection.fetchval("SELECT 'Z' < 'a'")
    await connection.close()
    assert (distance, lowered, ordered) == (2.0, "äé", True)


async def test_valkey_never_evicts_and_keeps_a_log(fresh_valkey: str) -> None:
    async with Redis.from_url(fresh_valkey, decode_responses=True) as client:
        settings = await client.config_get("maxmemory-policy", "appendonly", "appendfsync", "save")
    assert settings == {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }


async def test_postgres_data_survives_a_stop_and_a_kill(open_folder: Path) -> None:
    server = postgres_in(open_folder)
    child = await start(server)
    connection = await asyncpg.connect(server.url())
    await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
    await connection.close()
    assert await child.stop() == 0

    child = await start(server)
    connection = await asyncpg.connect(server.url())
    await connection.execute("INSERT INTO kept VALUES (2)")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait() == 128 + signal.SIGKILL
    assert working_in(open_folder / "postgres") == []
    assert (open_folder / "postgres" / "postmaster.pid").exists()

    child = await start(server)
    connection = await asyncpg.connect(server.url())
    assert await connection.fetchval("SELECT sum(n) FROM kept") == 3
    await connection.close()
    await child.stop()


async def test_valkey_data_survives_a_stop_and_a_kill(open_folder: Path) -> None:
    server = EmbeddedValkey(open_folder, free_port(), password="secret word")
    child = await start(server)
    async with Redis.from_url(server.url()) as client:
        await client.set("kept", 1)
        await client.execute_command("WAITAOF", 1, 0, 5000)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    child = await start(server)
    async with Redis.from_url(server.url()) as client:
        assert await client.get("kept") == b"1"
    assert await child.stop() == 0


async def test_neo4j_keeps_its_data_through_a_kill_and_tells_nobody_its_password(
    open_folder: Path,
    neo4j_server: Neo4jServer,  # where none can be started, this is skipped
) -> None:
    server = EmbeddedNeo4j(open_folder, free_port(), password=QUOTED)
    child = await start(server)
    assert child.pid is not None
    command = await asyncio.to_thread(Path(f"/proc/{child.pid}/cmdline").read_text)
    assert QUOTED not in command
    assert "-Xmx512m" in command
    async with AsyncGraphDatabase.driver(server.uri, auth=("neo4j", QUOTED)) as driver:
        await driver.execute_query("CREATE (:kept)")
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    child = await start(server)
    async with AsyncGraphDatabase.driver(server.uri, auth=("neo4j", QUOTED)) as driver:
        found = await driver.execute_query("MATCH (n:kept) RETURN count(n) AS nodes")
    assert found.records[0]["nodes"] == 1
    server.password = "another"
    with pytest.raises(PasswordChangedError):
        await server.ready()
    assert await child.stop() == 0


async def test_passwords_are_on_no_command_line(open_folder: Path) -> None:
    password = "Tr0ub4dor"
    postgres = postgres_in(open_folder, password)
    valkey = EmbeddedValkey(open_folder, free_port(), password=password)
    assert password not in str(postgres.child()) + str(valkey.child())
    await asyncio.to_thread(valkey.prepare)
    assert (open_folder / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


async def test_a_lost_password_is_said_and_not_waited_for(open_folder: Path) -> None:
    server = postgres_in(open_folder)
    child = await start(server)
    server.password = "another"
    with pytest.raises(PasswordChangedError):
        await server.ready()
    await child.stop()


async def test_a_stale_pid_file_that_names_another_process_does_not_stop_the_start(
    open_folder: Path,
) -> None:
    first, second = postgres_in(open_folder / "a"), postgres_in(open_folder / "b")
    running = await start(first)
    child = await start(second)
    await child.stop()
    (open_folder / "b" / "postgres" / "postmaster.pid").write_text(f"{running.pid}\n/elsewhere\n")
    child = await start(second)
    await child.stop()
    await running.stop()


@as_root
async def test_a_data_dir_below_a_private_home_is_refused_by_name(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    server = postgres_in(home / "data")
    with pytest.raises(
        DataDirUnusableError, match=f"DATA_DIR {home}/data .* may not enter {home};"
    ):
        await asyncio.to_thread(server.prepare)
