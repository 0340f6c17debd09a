"""Installations to look at, and the command that does."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lightrag.kg.shared_storage import finalize_share_data
from redis.asyncio import Redis
from typer.testing import CliRunner

from ops.cli import app
from tests.integration.doctor.filled import Copied, copy_files, copy_servers, fill, rows_of
from tests.integration.engine.shapes import files_variables
from tests.integration.engine.shapes import server_variables as engine_variables
from tests.model_server import KEY, ModelServer
from tests.services import drop_database, make_database, server_variables


@pytest.fixture
def variables(
    fresh_database: str, fresh_valkey: str, tmp_path: Path, own_environment: None
) -> dict[str, str]:
    """An empty PostgreSQL and Valkey."""
    return server_variables(fresh_database, fresh_valkey) | {"DATA_DIR": str(tmp_path)}


def look(variables: Mapping[str, str], *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """`ragfleet doctor --json`: its exit code, and its findings by code."""
    done = CliRunner().invoke(app, ["doctor", "--json", *words], env=dict(variables))
    assert done.stdout, done.exception
    findings = json.loads(done.stdout)["findings"]
    assert len({(one["code"], one["workspace"]) for one in findings}) == len(findings)
    return done.exit_code, {one["code"]: one for one in findings}


@pytest.fixture(scope="session")
def models() -> Iterator[dict[str, str]]:
    """Settings that name a model server whose vectors depend on nothing but the text."""
    with ModelServer().running() as server:
        variables = {"TASK_LEASE_S": "5", "CHUNK_SIZE": "100", "CHUNK_OVERLAP_SIZE": "5"}
        for prefix in ("LLM", "EMBEDDING"):
            variables |= {
                f"{prefix}_PROVIDER": "openai",
                f"{prefix}_BASE_URL": server.url,
                f"{prefix}_API_KEY": KEY,
                f"{prefix}_MODEL": "hash",
            }
        yield variables


@pytest.fixture
def shape() -> str:
    """Which stores there are; tests parametrise it."""
    return "valkey"


@pytest.fixture(scope="session")
def templates() -> dict[str, tuple[dict[str, str], Mapping[bytes, Any]]]:
    """What was filled already, by shape."""
    return {}


@pytest.fixture
def servers(shape: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The servers of a shape; they cannot be started inside an event loop."""
    wanted = {"files": [], "neo4j": ["postgres_url", "valkey_url", "fresh_neo4j"]}
    names = wanted.get(shape, ["postgres_url", "valkey_url"])
    return {name: request.getfixturevalue(name) for name in names}


@pytest.fixture
async def copied(
    shape: str,
    servers: dict[str, Any],
    models: dict[str, str],
    templates: dict[str, tuple[dict[str, str], Mapping[bytes, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    own_environment: None,
) -> AsyncIterator[Copied]:
    """An installation with two documents in it."""
    if shape == "files":
        if shape not in templates:
            variables = files_variables(tmp_path_factory.mktemp("filled")) | models
            await fill(variables)
            finalize_share_data()
            templates[shape] = variables, {}
        yield copy_files(templates[shape][0], tmp_path)
        finalize_share_data()
        return
    postgres, valkey = servers["postgres_url"], servers["valkey_url"]
    # A graph in Neo4j cannot be copied.
    if shape == "neo4j" or shape not in templates:
        folder = tmp_path_factory.mktemp("filled")
        async with Redis.from_url(valkey) as client:
            await client.flushall()
        database = await make_database(postgres)
        variables = engine_variables(shape, folder, database, valkey) | models
        if shape == "neo4j":
            variables |= servers["fresh_neo4j"].variables
        await fill(variables)
        templates[shape] = variables, await rows_of(valkey)
    made = await copy_servers(*templates[shape], postgres, valkey, tmp_path)
    yield made
    await drop_database(postgres, made.database)
