"""Stores of every shape for the tests of the commit."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.engine.disturbed import Committer
from tests.integration.engine.shapes import (
    another_workspace,
    files_variables,
    open_fleet,
    server_variables,
)
from tests.integration.worker.fleet import Fleet
from tests.services import Neo4jServer, drop_database, make_database, run
from tests.standing_clock import stop_the_clock

SERVER_SHAPES = ["postgres", "valkey", "neo4j"]


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_the_clock(monkeypatch)


@pytest.fixture
def shape() -> str:
    """Which stores a test works on; tests parametrise it."""
    return "postgres"


@pytest.fixture
def overrides() -> dict[str, str]:
    """Settings of a test's own; tests override it."""
    return {}


@pytest.fixture
def variables(
    shape: str, tmp_path: Path, overrides: dict[str, str], request: pytest.FixtureRequest
) -> dict[str, str]:
    """The settings that name the stores of a shape."""
    if shape == "files":
        return files_variables(tmp_path) | overrides
    chosen = server_variables(
        shape,
        tmp_path,
        request.getfixturevalue("fresh_database"),
        request.getfixturevalue("fresh_valkey"),
    )
    if shape == "neo4j":
        server = request.getfixturevalue("fresh_neo4j")
        chosen |= {"NEO4J_URI": server.uri, "NEO4J_PASSWORD": server.password}
    return chosen | overrides


@pytest.fixture
async def fleet(variables: dict[str, str]) -> AsyncIterator[Fleet]:
    async with open_fleet(variables) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_overrides() -> dict[str, str]:
    """Settings of a module's own; modules override it."""
    return {}


@pytest.fixture(scope="module")
def stores(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    module_overrides: dict[str, str],
) -> Iterator[dict[str, str]]:
    """Stores that the tests of a module share, each in a workspace of its own; on Neo4j.

    Tests that parametrise it, for their whole module, name other shapes.
    """
    shape = getattr(request, "param", "neo4j")
    folder = tmp_path_factory.mktemp(shape)
    if shape == "files":
        yield files_variables(folder) | module_overrides
        return
    servers: dict[str, str] = {}
    if shape == "neo4j":
        neo4j: Neo4jServer = request.getfixturevalue("neo4j_server")
        servers = {"NEO4J_URI": neo4j.uri, "NEO4J_PASSWORD": neo4j.password}
    valkey = request.getfixturevalue("valkey_url")
    postgres = request.getfixturevalue("postgres_url")
    database = run(make_database(postgres))
    yield server_variables(shape, folder, database, valkey) | servers | module_overrides
    run(drop_database(postgres, database))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tier(stores: dict[str, str]) -> AsyncIterator[Fleet]:
    """One worker tier over the shared stores."""
    async with open_fleet(stores) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def guest(tier: Fleet) -> Fleet:
    """A fresh workspace in the shared tier."""
    return await another_workspace(tier)


@pytest.fixture(scope="module")
def committer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Committer]:
    """Committers in processes of their own, one after the other."""
    started = Committer(tmp_path_factory.mktemp("committer") / "log")
    yield started
    started.remove()
