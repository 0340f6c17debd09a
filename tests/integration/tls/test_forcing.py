"""`ragfleet doctor --security` tries whether servers would answer somebody without TLS."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.doctor.conftest import look
from tests.integration.engine.shapes import server_variables

CODES = ("doctor.security_postgres_forces_tls", "doctor.security_redis_forces_tls")


@pytest.fixture
def in_the_clear(fresh_database: str, fresh_valkey: str, tmp_path: Path) -> dict[str, str]:
    """Settings for servers that speak no TLS."""
    return server_variables("valkey", tmp_path / "data", fresh_database, fresh_valkey)


async def seen(variables: dict[str, str]) -> list[tuple[str, str]]:
    _, found = await asyncio.to_thread(look, variables, "--security")
    return [(found[code]["status"], found[code]["sentence"]) for code in CODES]


async def test_servers_behind_tls_answer_nobody_without_it(tls_variables: dict[str, str]) -> None:
    assert [status for status, _ in await seen(tls_variables)] == ["ok", "ok"]


async def test_servers_that_answer_everybody_are_told_of(in_the_clear: dict[str, str]) -> None:
    # As if settings asked for TLS of servers that would also do without.
    asked = {"POSTGRES_SSLMODE": "verify-full", "REDIS_SSL": "true"}
    told = await seen(in_the_clear | asked)
    assert [status for status, _ in told] == ["warning", "warning"]
    assert "rds.force_ssl" in told[0][1]
    assert in_the_clear["POSTGRES_PASSWORD"] not in str(told)


async def test_whoever_asks_for_no_tls_is_told_so_elsewhere(in_the_clear: dict[str, str]) -> None:
    assert [status for status, _ in await seen(in_the_clear)] == ["skipped", "skipped"]


async def test_servers_that_are_away_are_not_checked(in_the_clear: dict[str, str]) -> None:
    asked = {"POSTGRES_SSLMODE": "verify-full", "REDIS_SSL": "true"}
    away = {"POSTGRES_PORT": "1", "REDIS_PORT": "1"}
    told = await seen(in_the_clear | asked | away)
    assert [status for status, _ in told] == ["skipped", "skipped"]
