"""Whole systems, one a shape and session, and a fresh workspace for each test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops.local.errors import Neo4jMissingError
from ops.local.neo4j_jars import java_program, neo4j_jars
from tests.acceptance.system import System, Workspace
from tests.services import not_available

_HTTP_TIMEOUT_S = 60  # a busy machine; an idle one answers in a second


def _running(system: System) -> Iterator[System]:
    system.up()
    try:
        yield system
    finally:
        system.down()


@pytest.fixture(scope="session")
def embedded(servers_folder: Path) -> Iterator[System]:
    """PostgreSQL, Valkey, API, worker, beat and Flower, as `ragfleet up --detach` starts them."""
    yield from _running(System("embedded", servers_folder / "embedded"))


@pytest.fixture(scope="session")
def files(servers_folder: Path) -> Iterator[System]:
    """One process over files, likewise."""
    yield from _running(System("files", servers_folder / "files"))


@pytest.fixture(scope="session")
def in_neo4j(servers_folder: Path) -> Iterator[System]:
    """The first one with its graph in a Neo4j of its own, as `make up GRAPH=neo4j` starts it."""
    try:
        java_program()
        neo4j_jars()
    except Neo4jMissingError as error:
        not_available(str(error))
    yield from _running(System("neo4j", servers_folder / "in_neo4j"))


@pytest.fixture(scope="session", params=["embedded", "files"])
def system(request: pytest.FixtureRequest) -> System:
    """Each shape in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, System)
    return found


@pytest.fixture
def http(system: System) -> Iterator[httpx.Client]:
    """A client without a workspace of its own: the default one."""
    with httpx.Client(base_url=system.url, timeout=_HTTP_TIMEOUT_S) as client:
        yield client


@pytest.fixture
def workspace(system: System, http: httpx.Client) -> Iterator[Workspace]:
    """An empty workspace for one test."""
    name = f"test_{secrets.token_hex(4)}"
    assert http.post("/workspaces", json={"name": name}).status_code == 201
    headers = {"LIGHTRAG-WORKSPACE": name}
    with httpx.Client(base_url=system.url, timeout=_HTTP_TIMEOUT_S, headers=headers) as client:
        yield Workspace(system, name, client)
