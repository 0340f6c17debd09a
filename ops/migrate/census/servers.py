"""A workspace on servers, asked in their own languages: LightRAG's classes would make tables."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

from lightrag.kg.postgres_impl import namespace_to_table_name
from redis.asyncio import Redis
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ops.migrate.census.record import Amount, Census, Names, Pair, Shared
from ops.migrate.texts import is_storable_text
from shared.connections import ledger_url, redis_url
from shared.errors import WorkspaceNotFoundError
from shared.ids import PhysicalWorkspace, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.rag.neo4j_driver import open_driver
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings
from worker.commit.unit_of_work.unit import ROW_STORAGES, STATUS_STORAGE, VECTOR_STORAGES

_AT_ONCE = 2000
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))"
_AMOUNT = (
    "SELECT count(*), coalesce(sum(pg_column_size(rows.*)), 0) FROM {table} rows "
    "WHERE workspace = :workspace"
)
_DOCUMENTS = "SELECT count(*) FROM documents WHERE workspace = :name AND NOT deleted"
_SAME_IDS = "SELECT id FROM {table} WHERE workspace = :workspace AND id IN :ids"
_SAME_PAIRS = (
    "SELECT src_id, tgt_id FROM lightrag_graph_edges "
    "WHERE workspace = :workspace AND src_id || chr(1) || tgt_id IN :ids AND src_id IN :ones"
)
_NODES, _EDGES = "lightrag_graph_nodes", "lightrag_graph_edges"
_GRAPH_TABLES = {"entities": _NODES, "relations": _EDGES}
_NODE_AMOUNT = "MATCH (n:`{label}`) RETURN count(n)"
_EDGE_AMOUNT = "MATCH (:`{label}`)-[r]->() RETURN count(r)"
_SAME_NODES = "UNWIND $names AS name MATCH (n:`{label}` {{entity_id: name}}) RETURN n.entity_id"
_SAME_EDGES = (
    "UNWIND $names AS pair MATCH (a:`{label}` {{entity_id: pair[0]}})-[]-"
    "(b:`{label}` {{entity_id: pair[1]}}) RETURN DISTINCT a.entity_id, b.entity_id"
)


async def census_of_servers(settings: Settings, name: WorkspaceName, wanted: Names) -> Census:
    """Look at a workspace on the servers that settings name.

    Raises:
        UnavailableError: a server is away, or does not let us in.
    """
    async with _ledger_of(settings) as ledger:
        tables = await _tables(ledger)
        physical = await _physical(ledger, name, tables)
        if physical is None:
            return Census()
        async with ledger.database.reading() as connection:
            looker = _Looker(settings, connection, physical, tables)
            return await looker.look(name, wanted)


async def listed_on_servers(
    settings: Settings, name: WorkspaceName
) -> tuple[PhysicalWorkspace | None, int]:
    """Return the name of a workspace in its stores (None: there is none), and its documents.

    Raises:
        UnavailableError: the ledger is away, or does not let us in.
    """
    async with _ledger_of(settings) as ledger:
        physical = await _physical(ledger, name, await _tables(ledger))
        if physical is None:
            return None, 0
        async with ledger.database.reading() as connection:
            return physical, await _count_documents(connection, name)


@asynccontextmanager
async def _ledger_of(settings: Settings) -> AsyncIterator[Ledger]:
    ledger = await Ledger.open(ledger_url(settings), pool_size=1)
    try:
        with translated_store_errors():
            yield ledger
    finally:
        await ledger.close()


async def _tables(ledger: Ledger) -> set[str]:
    async with ledger.database.reading() as connection:
        return set((await connection.execute(text(_TABLES))).scalars())


async def _physical(
    ledger: Ledger, name: WorkspaceName, tables: set[str]
) -> PhysicalWorkspace | None:
    if "workspaces" not in tables:
        return None
    try:
        return (await ledger.workspaces.get(name)).physical
    except WorkspaceNotFoundError:
        return None


async def _count_documents(connection: AsyncConnection, name: WorkspaceName) -> int:
    return int((await connection.execute(text(_DOCUMENTS), {"name": name})).scalar_one())


class _Looker:
    def __init__(
        self,
        settings: Settings,
        connection: AsyncConnection,
        physical: PhysicalWorkspace,
        tables: set[str],
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._physical = physical
        self._tables = tables
        self._amounts: dict[str, Amount] = {}
        self._shared = Shared()

    async def look(self, name: WorkspaceName, wanted: Names) -> Census:
        documents = await _count_documents(self._connection, name)
        if self._settings.storage.kv_storage == "RedisKVStorage":
            await self._look_at_redis()
        else:
            for storage in ROW_STORAGES:
                await self._count(storage, [namespace_to_table_name(storage).lower()])
        for storage in VECTOR_STORAGES:
            # A workspace lies in the table of the model that filled it, whichever that was.
            begin = namespace_to_table_name(storage.removesuffix("_vdb")).lower()
            found = [table for table in self._tables if table.startswith(begin)]
            await self._count(storage, found)
        status = namespace_to_table_name(STATUS_STORAGE).lower()
        await self._count(STATUS_STORAGE, [status])
        await self._look_for_ids("documents", status, sorted(wanted.documents))
        if self._settings.graph_in_neo4j:
            await self._look_at_neo4j(wanted)
        else:
            for section, table in _GRAPH_TABLES.items():
                await self._count(section, [table])
            await self._look_for_ids("entities", _NODES, sorted(wanted.entities))
            await self._look_for_pairs(sorted(wanted.relations))
        counts = self._shared.counts
        return Census(self._physical, documents, self._amounts, self._shared.names, counts)

    async def _count(self, section: str, tables: Sequence[str]) -> None:
        count = size = 0
        for table in tables:
            if table in self._tables:
                statement = text(_AMOUNT.format(table=table))
                values = {"workspace": self._physical}
                found = (await self._connection.execute(statement, values)).one()
                count, size = count + found[0], size + int(found[1])
        self._amounts[section] = Amount(count, size)

    async def _look_for_ids(self, section: str, table: str, names: Sequence[str]) -> None:
        if table not in self._tables:
            return
        statement = text(_SAME_IDS.format(table=table)).bindparams(bindparam("ids", expanding=True))
        for some in _pages(names):
            values = {"workspace": self._physical, "ids": _storable(some)}
            found = await self._connection.execute(statement, values)
            self._shared.add(section, sorted(found.scalars()))

    async def _look_for_pairs(self, pairs: Sequence[Pair]) -> None:
        if _EDGES not in self._tables:
            return
        statement = text(_SAME_PAIRS).bindparams(
            bindparam("ids", expanding=True), bindparam("ones", expanding=True)
        )
        for some in _pages(pairs):
            ids = _storable([f"{one}\1{two}" for one, two in some])
            ones = _storable(sorted({one for one, _ in some}))
            values = {"workspace": self._physical, "ids": ids, "ones": ones}
            found = await self._connection.execute(statement, values)
            self._shared.add("relations", [f"{row[0]} – {row[1]}" for row in found])

    async def _look_at_redis(self) -> None:
        async with Redis.from_url(redis_url(self._settings.redis)) as redis:
            for storage in ROW_STORAGES:
                pattern = f"{self._physical}_{storage}:*"
                keys = {key async for key in redis.scan_iter(pattern, count=1000)}
                size = 0
                for some in _pages(sorted(keys)):
                    asked = redis.pipeline(transaction=False)
                    for key in some:
                        asked.strlen(key)
                    size += sum(await asked.execute())
                self._amounts[storage] = Amount(len(keys), size)

    async def _look_at_neo4j(self, wanted: Names) -> None:
        async with open_driver(self._settings) as driver:

            async def ask(query: str, names: Sequence[Any] = ()) -> list[Any]:
                found = await driver.execute_query(
                    query.format(label=self._physical),  # ours need no quoting
                    names=list(names),
                    database_=self._settings.neo4j.database,
                    routing_="r",
                )
                return list(found.records)

            for section, query in (("entities", _NODE_AMOUNT), ("relations", _EDGE_AMOUNT)):
                self._amounts[section] = Amount((await ask(query))[0][0])
            for names in _pages(sorted(wanted.entities)):
                found = await ask(_SAME_NODES, names)
                self._shared.add("entities", [row[0] for row in found])
            for pairs in _pages(sorted(wanted.relations)):
                found = await ask(_SAME_EDGES, [list(pair) for pair in pairs])
                self._shared.add("relations", [f"{row[0]} – {row[1]}" for row in found])


def _pages(items: Sequence[Any]) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _storable(names: Sequence[str]) -> list[str]:
    """Leave out what PostgreSQL can hold nowhere, so that it is not there either."""
    return [name for name in names if is_storable_text(name)] or [""]
