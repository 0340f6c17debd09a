"""Real PostgreSQL, Valkey and Neo4j, and the addresses under which systems are given them."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg
from neo4j import AsyncGraphDatabase
from redis.asyncio import Redis

from bench.systems.graph_server import neo4j_server
from bench.systems.processes import Crowd
from ops.local.ports import HOST, free_port
from ops.local.postgres import EmbeddedPostgres
from ops.local.process import ChildSpec
from ops.local.valkey import EmbeddedValkey
from worker.commit.apply.neo4j_emptying import empty_graph

NEO4J = "Neo4JStorage"
PG_GRAPH = "PGTableGraphStorage"
_USER = "bench"


class Server(Protocol):
    """What the local servers have in common."""

    def prepare(self) -> None:
        """Make its files."""

    def child(self) -> ChildSpec:
        """How to run it."""

    async def ready(self) -> bool:
        """Whether it answers."""


@dataclass(frozen=True)
class Place:
    """Empty room for one run of one system in the stores."""

    database: str
    workspace: str
    redis_db: int
    graph: str


class Stores:
    """The servers of a benchmark; started once, emptied between runs."""

    def __init__(self, folder: Path, *, graphs: set[str]) -> None:
        self._crowd = Crowd(folder)
        self._postgres = EmbeddedPostgres(
            folder, free_port(), user=_USER, password=secrets.token_hex(8), database=_USER
        )
        self._valkey = EmbeddedValkey(folder, free_port(), password=secrets.token_hex(8))
        self._neo4j_password = secrets.token_hex(8)
        self._neo4j = (
            neo4j_server(folder, free_port(), password=self._neo4j_password)
            if NEO4J in graphs
            else None
        )

    @property
    def pids(self) -> dict[str, int]:
        """The servers' main processes."""
        return self._crowd.pids

    async def start(self) -> None:
        """Start all of them."""
        servers: list[Server] = [self._postgres, self._valkey]
        if self._neo4j is not None:
            servers.append(self._neo4j)
        for server in servers:
            await asyncio.to_thread(server.prepare)
            await self._crowd.start(server.child(), server.ready)

    async def stop(self) -> None:
        """Stop all of them."""
        await self._crowd.stop()

    async def make_place(self, name: str, *, graph: str) -> Place:
        """Empty everything and make room for a run."""
        place = Place(database=name, workspace=name, redis_db=0, graph=graph)
        await self._drop_databases()
        await self._execute(_USER, f'CREATE DATABASE "{place.database}"')
        await self._execute(place.database, "CREATE EXTENSION vector")
        async with Redis.from_url(self._valkey.url()) as client:
            await client.flushall()
        if self._neo4j is not None:
            await self._empty_graph()
        return place

    async def _drop_databases(self) -> None:
        connection = await asyncpg.connect(self._postgres.url(_USER))
        try:
            rows = await connection.fetch(
                "SELECT datname FROM pg_database WHERE NOT datistemplate "
                "AND datname NOT IN ('postgres', $1)",
                _USER,
            )
            for row in rows:
                await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    async def _empty_graph(self) -> None:
        assert self._neo4j is not None  # noqa: S101 - the caller asked
        auth = ("neo4j", self._neo4j_password)
        async with (
            AsyncGraphDatabase.driver(self._neo4j.uri, auth=auth) as driver,
            driver.session() as session,
        ):
            labels = [row[0] async for row in await session.run("CALL db.labels()")]
            for label in labels:
                await empty_graph(session, label=label, on_progress=lambda: None)

    async def _execute(self, database: str, statement: str) -> None:
        connection = await asyncpg.connect(self._postgres.url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def variables(self, place: Place) -> dict[str, str]:
        """LightRAG's own names for the addresses of the servers; ours are nearly the same."""
        found = {
            "POSTGRES_HOST": HOST,
            "POSTGRES_PORT": str(self._postgres.port),
            "POSTGRES_USER": _USER,
            "POSTGRES_PASSWORD": self._postgres.password,
            "POSTGRES_DATABASE": place.database,
            "REDIS_URI": self._valkey.url(place.redis_db),
        }
        if self._neo4j is not None:
            found |= {
                "NEO4J_URI": self._neo4j.uri,
                "NEO4J_USERNAME": "neo4j",
                "NEO4J_PASSWORD": self._neo4j_password,
                "NEO4J_DATABASE": "neo4j",
            }
        return found

    def fleet_variables(self, place: Place) -> dict[str, str]:
        """The same for our processes."""
        return {
            **self.variables(place),
            "USE_EXTERNAL_STORAGE": "true",
            "KV_STORAGE": "RedisKVStorage",
            "VECTOR_STORAGE": "PGVectorStorage",
            "GRAPH_STORAGE": place.graph,
            "POSTGRES_DB": place.database,
            "POSTGRES_SSLMODE": "disable",
            "REDIS_HOST": HOST,
            "REDIS_PORT": str(self._valkey.port),
            "REDIS_DB": str(place.redis_db),
            "REDIS_PASSWORD": self._valkey.password,
            "BROKER_URL": self._valkey.url(place.redis_db + 1),
        }
