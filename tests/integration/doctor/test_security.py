"""`ragfleet doctor --security` tells of open doors and weak secrets, and never shows one."""

import asyncio
import secrets
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url

from ops.local.ports import free_port
from ops.local.valkey import EmbeddedValkey
from tests.integration.doctor.conftest import look
from tests.services import server_variables, start

STRONG = "x7Kq-29fLmZp_0RtWv81"


@pytest.fixture
def secured(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Settings in an empty folder, with a key for the API."""
    monkeypatch.chdir(tmp_path)
    return variables | {"API_KEY": STRONG}


def seen(variables: dict[str, str], *words: str) -> dict[str, tuple[str, str]]:
    _, found = look(variables, "--security", *words)
    return {code: (one["status"], one["sentence"]) for code, one in found.items()}


async def test_what_is_not_looked_at_is_never_fine(secured: dict[str, str]) -> None:
    found = await asyncio.to_thread(seen, secured)

    aside = {code: found[code] for code in found if "_aws_" in code or "_bucket_" in code}
    assert len(aside) == 10
    assert {status for status, _ in aside.values()} == {"skipped"}
    assert all(sentence.startswith("Not checked, because ") for _, sentence in aside.values())


async def test_secrets_are_never_shown(secured: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"POSTGRES_PASSWORD={secured['POSTGRES_PASSWORD']}\n")
    text = str(await asyncio.to_thread(seen, secured))
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "API_KEY"):
        assert secured[name] not in text


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("short", "API_KEY has fewer than 16"),
        ("changeme-changeme-1", "API_KEY contains a word"),
        ("abababababababababab", "API_KEY repeats"),
    ],
)
async def test_a_weak_key_is_wrong(secured: dict[str, str], key: str, said: str) -> None:
    status, sentence = (await asyncio.to_thread(seen, secured | {"API_KEY": key}))[
        "doctor.security_passwords"
    ]
    assert status == "error"
    assert said in sentence
    assert key not in sentence


async def test_who_may_read_the_settings_is_looked_at(
    secured: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text(f"API_KEY={STRONG}\nLOG_LEVEL=debug\n")
    file.chmod(0o644)
    found = await asyncio.to_thread(seen, secured)
    assert found["doctor.security_env_file"][0] == "error"
    assert "chmod 600" in found["doctor.security_env_file"][1]
    assert found["doctor.security_secret_sources"][0] == "warning"
    assert "API_KEY stand as text" in found["doctor.security_secret_sources"][1]
    assert found["doctor.security_logs"][0] == "warning"

    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    assert (await asyncio.to_thread(seen, secured))["doctor.security_env_file"][0] == "ok"


async def test_an_open_api_is_wrong_where_others_reach_it(secured: dict[str, str]) -> None:
    found = await asyncio.to_thread(seen, secured | {"API_KEY": ""})
    assert found["doctor.security_api_key"][0] == "warning"  # 127.0.0.1 alone
    assert found["doctor.security_api_address"][0] == "ok"

    found = await asyncio.to_thread(seen, secured | {"API_HOST": "0.0.0.0"})  # noqa: S104 - meant
    assert found["doctor.security_api_key"][0] == "ok"
    assert found["doctor.security_api_address"][0] == "warning"


async def test_containers_that_publish_the_api_without_tls_are_wrong(
    secured: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("BIND_ADDRESS=0.0.0.0\n")
    status, sentence = (await asyncio.to_thread(seen, secured))["doctor.security_api_address"]
    assert status == "error"
    assert "BIND_ADDRESS" in sentence


async def test_a_superuser_is_told_and_an_owner_is_fine(
    secured: dict[str, str], fresh_database: str
) -> None:
    found = await asyncio.to_thread(seen, secured)
    assert found["doctor.security_postgres_role"][0] == "warning"
    assert "superuser" in found["doctor.security_postgres_role"][1]

    role, password = f"owner_{secrets.token_hex(4)}", secrets.token_hex(12)
    connection = await asyncpg.connect(fresh_database.replace("+asyncpg", ""))
    try:
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        owned = {"POSTGRES_USER": role, "POSTGRES_PASSWORD": password}
        found = await asyncio.to_thread(seen, secured | owned)
        assert found["doctor.security_postgres_role"][0] == "ok"
        await connection.execute(f"ALTER ROLE {role} CREATEDB")
        found = await asyncio.to_thread(seen, secured | owned)
        assert "CREATEDB" in found["doctor.security_postgres_role"][1]
        assert found["doctor.security_postgres_role"][0] == "warning"
    finally:
        await connection.execute(f"DROP ROLE {role}")
        await connection.close()


@pytest.fixture
async def own_valkey(open_folder: Path) -> AsyncIterator[EmbeddedValkey]:
    """One whose users may be changed."""
    server = EmbeddedValkey(open_folder, free_port(), password=secrets.token_hex(8))
    child = await start(server)
    yield server
    await child.stop()


async def test_what_redis_allows_is_tried(
    secured: dict[str, str], fresh_database: str, own_valkey: EmbeddedValkey
) -> None:
    chosen = secured | server_variables(fresh_database, own_valkey.url())
    found = await asyncio.to_thread(seen, chosen)
    assert found["doctor.security_redis_password"][0] == "ok"
    assert found["doctor.security_redis_commands"][0] == "warning"
    assert (
        "CONFIG, DEBUG, MODULE, REPLICAOF, SHUTDOWN" in found["doctor.security_redis_commands"][1]
    )

    async with Redis.from_url(own_valkey.url()) as client:
        taken = ("-config|set", "-debug", "-module", "-replicaof", "-shutdown")
        await client.execute_command("ACL", "SETUSER", "default", *taken)
    found = await asyncio.to_thread(seen, chosen)
    assert found["doctor.security_redis_commands"][0] == "ok"

    async with Redis.from_url(own_valkey.url()) as client:
        await client.execute_command("ACL", "SETUSER", "default", "-acl")
    found = await asyncio.to_thread(seen, chosen)
    assert found["doctor.security_redis_commands"][0] == "skipped"


async def test_a_redis_without_a_password_is_told(
    secured: dict[str, str], fresh_database: str, own_valkey: EmbeddedValkey
) -> None:
    async with Redis.from_url(own_valkey.url()) as client:
        await client.execute_command("ACL", "SETUSER", "default", "nopass")
    chosen = secured | server_variables(fresh_database, own_valkey.url())
    found = await asyncio.to_thread(seen, chosen)
    assert found["doctor.security_redis_password"][0] == "warning"
    assert "requirepass" in found["doctor.security_redis_password"][1]


async def test_a_server_that_is_away_is_not_checked(secured: dict[str, str]) -> None:
    found = await asyncio.to_thread(seen, secured | {"POSTGRES_PASSWORD": STRONG})
    status, sentence = found["doctor.security_postgres_role"]
    assert status == "skipped"
    assert "Not checked, because the server does not answer" in sentence


def test_options_that_do_not_go_together_are_refused(
    secured: dict[str, str], valkey_url: str
) -> None:
    from typer.testing import CliRunner  # noqa: PLC0415

    from ops.cli import app  # noqa: PLC0415

    for words in (["--security", "--repair"], ["--security", "-w", "x"], ["--aws-cluster", "x"]):
        done = CliRunner().invoke(app, ["doctor", *words], env=secured)
        assert done.exit_code == 2
    assert make_url(valkey_url).password not in done.output
