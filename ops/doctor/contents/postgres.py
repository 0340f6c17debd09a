"""Ids out of LightRAG's tables in PostgreSQL, all as they were at one moment."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from lightrag import LightRAG
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from ops.doctor.contents.inventory import Inventory
from shared.ledger.postgres_engine import postgres_engine
from worker.commit.apply.postgres import table_of
from worker.commit.unit_of_work.unit import GRAPH_STORAGE, STATUS_STORAGE, VECTOR_STORAGES

_CONNECT_TIMEOUT_S = 3
_PAGE = 1000
_GRAPH = "workspace = :workspace AND namespace = 'chunk_entity_relation'"
_NODES = "lightrag_graph_nodes"
_FIND = text("SELECT to_regclass(:table)")
_ENTITIES = f"SELECT id, properties->>'source_id' FROM {_NODES} WHERE {_GRAPH}"  # noqa: S608 - constants
_RELATIONS = (
    f"SELECT src_id, tgt_id, properties->>'source_id' FROM lightrag_graph_edges WHERE {_GRAPH}"  # noqa: S608 - as above
)
_LISTED = """
SELECT s.id, c.chunk FROM lightrag_doc_status s, jsonb_array_elements_text(
    CASE jsonb_typeof(s.chunks_list) WHEN 'array' THEN s.chunks_list ELSE '[]'::jsonb END
) AS c(chunk) WHERE s.workspace = :workspace
"""

Add = Callable[[Any], None]


async def read_postgres(
    url: URL, rag: LightRAG, storages: Collection[str], inventory: Inventory
) -> None:
    """Read the ids of some storages of a LightRAG, which need not be opened."""
    async with _snapshot(url) as connection:
        for name in storages:
            table = _NODES if name == GRAPH_STORAGE else table_of(name, getattr(rag, name))
            if await connection.scalar(_FIND, {"table": table.lower()}) is None:
                continue  # made when a workspace is first opened
            for statement, add in _questions(name, table, inventory):
                await _read(connection, statement, add, workspace=rag.workspace)


def _questions(name: str, table: str, inventory: Inventory) -> list[tuple[str, Add]]:
    if name == GRAPH_STORAGE:
        return [(_ENTITIES, inventory.add_entities), (_RELATIONS, inventory.add_relations)]
    where = f"FROM {table} WHERE workspace = :workspace"
    if name == STATUS_STORAGE:
        statuses = f"SELECT id, status {where}"
        return [(statuses, inventory.add_statuses), (_LISTED, inventory.add_listed)]
    if name == "text_chunks":
        return [(f"SELECT id, full_doc_id {where}", inventory.add_chunks)]
    add = inventory.add_vectors if name in VECTOR_STORAGES else inventory.add_rows
    return [(f"SELECT id {where}", lambda rows: add(name, (key for (key,) in rows)))]


async def _read(connection: AsyncConnection, statement: str, add: Add, *, workspace: str) -> None:
    result = await connection.stream(text(statement), {"workspace": workspace})
    async for rows in result.partitions(_PAGE):
        add([tuple(row) for row in rows])


@asynccontextmanager
async def _snapshot(url: URL) -> AsyncIterator[AsyncConnection]:
    engine = postgres_engine(
        url,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        connect_args={"timeout": _CONNECT_TIMEOUT_S},
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
