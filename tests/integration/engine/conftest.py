"""Stores of every shape for the tests of the commit."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.engine.shapes import files_variables, open_fleet, server_variables
from tests.integration.worker.fleet import Fleet

SERVER_SHAPES = ["postgres", "valkey", "neo4j"]


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
