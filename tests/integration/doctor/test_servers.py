"""`ragfleet doctor` tells how the servers are, and which setting to look at."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from ops.initialising import initialise
from ops.local.ports import free_port
from ops.local.valkey import EmbeddedValkey
from shared.settings import load_settings
from tests.integration.doctor.conftest import look
from tests.services import server_variables, start


@pytest.fixture
async def ready(variables: dict[str, str]) -> dict[str, str]:
    """After `ragfleet init`."""
    await initialise(load_settings(None, overrides=variables), say=lambda _: None)
    return variables


async def test_an_installation_that_was_initialised_is_fine(ready: dict[str, str]) -> None:
    code, found = await asyncio.to_thread(look, ready)

    assert {name: one["sentence"] for name, one in found.items() if one["status"] != "ok"} == {}
    assert code == 0
    assert found["doctor.pgvector"]["sentence"].startswith("pgvector 0.")
    assert found["doctor.redis_version"]["sentence"].startswith("Valkey ")


@pytest.mark.parametrize(
    ("wrong", "code", "named"),
    [
        ({"POSTGRES_PASSWORD": "wrong"}, "doctor.postgres", "POSTGRES_PASSWORD"),
        pytest.param(
            {"POSTGRES_PORT": "9"}, "doctor.postgres", "POSTGRES_PORT", marks=pytest.mark.long
        ),
        ({"REDIS_PASSWORD": "wrong"}, "doctor.redis", "REDIS_PASSWORD"),
        pytest.param({"REDIS_PORT": "9"}, "doctor.redis", "REDIS_PORT", marks=pytest.mark.long),
        ({"BROKER_URL": "redis://127.0.0.1:9/0"}, "doctor.broker", "BROKER_URL"),
    ],
)
async def test_a_server_that_is_away_or_closed_names_its_setting(
    variables: dict[str, str], wrong: dict[str, str], code: str, named: str
) -> None:
    password = variables["REDIS_PASSWORD"]
    ended, found = await asyncio.to_thread(look, variables | wrong)

    assert ended == 1
    assert found[code]["status"] == "error"
    assert named in found[code]["sentence"]
    assert password not in str(found)
    if code == "doctor.postgres":
        assert found["doctor.pgvector"]["status"] == "skipped"
        assert found["doctor.ledger_schema"]["status"] == "skipped"


async def test_a_database_without_tables_asks_for_init(variables: dict[str, str]) -> None:
    ended, found = await asyncio.to_thread(look, variables)

    assert ended == 1
    assert "ragfleet init" in found["doctor.ledger_schema"]["sentence"]


@pytest.mark.parametrize(
    ("revision", "said"), [("0005", "run `ragfleet init`"), ("9999", "a newer one wrote it")]
)
async def test_a_ledger_of_another_version_says_what_to_do(
    ready: dict[str, str], fresh_database: str, revision: str, said: str
) -> None:
    await execute(fresh_database, f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608
    ended, found = await asyncio.to_thread(look, ready)

    assert ended == 1
    assert said in found["doctor.ledger_schema"]["sentence"]


async def test_a_database_without_pgvector_says_how_to_get_it(
    variables: dict[str, str], fresh_database: str
) -> None:
    await execute(fresh_database, "DROP EXTENSION vector")
    _, found = await asyncio.to_thread(look, variables)

    assert "CREATE EXTENSION vector" in found["doctor.pgvector"]["sentence"]


def test_a_setting_that_is_missing_ends_with_another_code(tmp_path: Path) -> None:
    code, found = look({"DATA_DIR": str(tmp_path)})

    assert code == 2
    assert "USE_EXTERNAL_STORAGE" in found["doctor.settings"]["sentence"]


@pytest.fixture
async def own_valkey(open_folder: Path) -> AsyncIterator[EmbeddedValkey]:
    """One whose configuration may be spoilt."""
    server = EmbeddedValkey(open_folder, free_port(), password=secrets.token_hex(8))
    child = await start(server)
    yield server
    await child.stop()


@pytest.fixture
async def nameless_valkey(open_folder: Path) -> AsyncIterator[EmbeddedValkey]:
    """One that knows no command CONFIG, as those of some providers."""
    server = _WithoutConfig(open_folder, free_port(), password=secrets.token_hex(8))
    child = await start(server)
    yield server
    await child.stop()


class _WithoutConfig(EmbeddedValkey):
    def prepare(self) -> None:
        super().prepare()
        with (self.data_dir / "valkey/valkey.conf").open("a") as file:
            file.write('rename-command CONFIG ""\nmaxmemory-policy allkeys-lru\n')


async def test_an_evicting_redis_is_wrong(
    variables: dict[str, str], fresh_database: str, own_valkey: EmbeddedValkey
) -> None:
    chosen = variables | server_variables(fresh_database, own_valkey.url())
    async with Redis.from_url(own_valkey.url()) as client:
        await client.config_set("maxmemory-policy", "volatile-lru")
        await client.config_set("appendonly", "no")
        await client.config_set("maxmemory", "1000000")
    _, found = await asyncio.to_thread(look, chosen)

    assert found["doctor.redis_eviction"]["status"] == "error"
    assert "volatile-lru (by CONFIG GET)" in found["doctor.redis_eviction"]["sentence"]
    assert found["doctor.redis_persistence"]["status"] == "warning"
    assert found["doctor.redis_memory"]["status"] == "warning"


async def test_where_a_user_may_not_ask_config_the_policy_is_found_all_the_same(
    variables: dict[str, str], fresh_database: str, own_valkey: EmbeddedValkey
) -> None:
    chosen = variables | server_variables(fresh_database, own_valkey.url())
    async with Redis.from_url(own_valkey.url()) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-config")
    _, found = await asyncio.to_thread(look, chosen)

    assert found["doctor.redis_eviction"]["status"] == "ok"
    assert "by INFO memory" in found["doctor.redis_eviction"]["sentence"]


@pytest.mark.long
async def test_where_nothing_may_be_asked_a_person_has_to_look(
    variables: dict[str, str], fresh_database: str, own_valkey: EmbeddedValkey
) -> None:
    chosen = variables | server_variables(fresh_database, own_valkey.url())
    async with Redis.from_url(own_valkey.url()) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-config", "-info")
    _, found = await asyncio.to_thread(look, chosen)

    assert found["doctor.redis_eviction"]["status"] == "warning"
    assert found["doctor.redis_memory"]["status"] == "skipped"


async def test_where_config_has_no_name_an_evicting_redis_is_wrong(
    variables: dict[str, str], fresh_database: str, nameless_valkey: EmbeddedValkey
) -> None:
    chosen = variables | server_variables(fresh_database, nameless_valkey.url())
    _, found = await asyncio.to_thread(look, chosen)

    assert found["doctor.redis_eviction"]["status"] == "error"
    assert "allkeys-lru (by INFO memory)" in found["doctor.redis_eviction"]["sentence"]


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
