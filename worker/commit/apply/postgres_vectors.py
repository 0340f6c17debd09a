"""LightRAG's tables of vectors while a workspace is filled: copied into, and indexed afterwards.

A row that goes into a live HNSW index costs a millisecond of CPU; building the index over all rows
at the end costs a third of that, and on more cores than one. An index that is missing because we
were killed is made by LightRAG, whichever process opens a workspace with that table next.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg

from shared.logs import get_logger
from worker.commit.operations import Operation, pieces

Fenced = Callable[[int], AbstractAsyncContextManager[asyncpg.Connection]]
"""Opens a transaction that holds the lease's row; its statements may take so many milliseconds."""

_log = get_logger(__name__)
# Fewer are in a live index before the table is locked and its index built anew.
_MANY_VECTORS = 2000
_INDEXES = """
SELECT index.relname AS name, pg_get_indexdef(index.oid) AS definition
FROM pg_index JOIN pg_class index ON index.oid = indexrelid JOIN pg_am ON pg_am.oid = index.relam
WHERE indrelid = $1::regclass AND amname IN ('hnsw', 'ivfflat', 'vchordrq')
"""
# Two ends of an index: with `<>` the whole table would be read.
_OTHERS = """
SELECT EXISTS (SELECT 1 FROM {table} WHERE workspace < $1)
OR EXISTS (SELECT 1 FROM {table} WHERE workspace > $1)
"""
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE workspace = $1 LIMIT 1000000) AS own"
_COLUMNS = re.compile(r"INSERT INTO \S+ \(([^)]+)\)")
_NO_LIMIT = 0
# Whoever reads the table waits behind us meanwhile.
_LOCK_TIMEOUT_MS = 1000
# What pgvector wants to hold of a vector beside its numbers: 32 neighbours of 16 bytes, and itself.
# When memory is full, the rest goes in as slowly as into a live index.
_BYTES_A_VECTOR = 1200
_BYTES_A_NUMBER = 4
_LEAST_MEMORY_MIB = 64  # PostgreSQL's own
_MOST_MEMORY_MIB = 1024
_WORKERS = 2
# As many as a live index takes on a busy server, while the lease lives.
_FEW_ROWS = 50
# Not every version and system has each of them.
_SET = "SELECT set_config(name, $2, true) FROM pg_settings WHERE name = $1"


class VectorFilling:
    """The tables of vectors of one workspace, of which others may hold rows, too."""

    def __init__(self, fenced: Fenced, *, workspace: str, dimension: int, timeout_ms: int) -> None:
        self._fenced = fenced
        self._workspace = workspace
        self._dimension = dimension
        self._timeout_ms = timeout_ms
        self._written: Counter[str] = Counter()
        self._needed_above: dict[str, float] = {}
        """By tables: after so many new rows, building the index anew is cheaper than feeding it."""
        self._dropped: dict[str, list[str]] = {}
        """Definitions of indexes, by tables that have been decided about."""
        self._filled = ""
        """The table that rows go into."""
        self._building: asyncio.Task[None] | None = None
        self._deciding = asyncio.Lock()
        self._writers = 0
        self._nobody_writes = asyncio.Event()
        self._nobody_writes.set()

    @asynccontextmanager
    async def room(self, operation: Operation, table: str) -> AsyncIterator[Iterator[Operation]]:
        """Take the index away before the table gets many rows, unless others need it.

        Args:
            operation: that puts vectors; what was filled before its table is complete.
            table: that gets them.

        Returns:
            The operation in pieces, each for one transaction.

        Raises:
            FencedOffError: somebody else holds the lease.
        """
        async with self._deciding:
            if table != self._filled:
                self._leave()
                self._filled = table
            self._written[table] += len(operation.rows)
            if await self._is_index_dear(table):
                # Our own writers hold the table, for long where they feed the index.
                await self._nobody_writes.wait()
                self._dropped[table] = await self._drop(table)
            self._writers += 1
            self._nobody_writes.clear()
        try:
            yield pieces(operation, len(operation.rows) if self._dropped.get(table) else _FEW_ROWS)
        finally:
            self._writers -= 1
            if not self._writers:
                self._nobody_writes.set()

    async def _is_index_dear(self, table: str) -> bool:
        written = self._written[table]
        if table in self._dropped or written <= _MANY_VECTORS:
            return False
        if table not in self._needed_above:
            self._needed_above[table] = await self._count_there(table)
        return written > self._needed_above[table]

    async def finish(self) -> None:
        """Make the indexes again, as they were.

        Raises:
            FencedOffError: somebody else holds the lease.
        """
        self._leave()
        if self._building is not None:
            await self._building

    async def stop(self) -> None:
        """End what is still under way: the copy failed."""
        if self._building is not None:
            self._building.cancel()
            await asyncio.gather(self._building, return_exceptions=True)

    def _leave(self) -> None:
        """Begin to build the index of a table that is complete: the next one is filled meanwhile.

        One after the other, since each takes its memory.
        """
        definitions = self._dropped.get(self._filled, [])
        if definitions:
            build = self._build_after(self._building, self._filled, definitions)
            self._building = asyncio.create_task(build)

    async def _build_after(
        self, earlier: asyncio.Task[None] | None, table: str, definitions: list[str]
    ) -> None:
        if earlier is not None:
            await earlier
        for definition in definitions:
            await self._build(table, definition)

    async def _count_there(self, table: str) -> float:
        """Count our rows, but not for ever; endless where there are some of another workspace."""
        async with self._fenced(self._timeout_ms) as connection:
            if await connection.fetchval(_OTHERS.format(table=table), self._workspace):
                return math.inf
            count = _COUNT.format(table=table)
            return int(await connection.fetchval(count, self._workspace))

    async def _drop(self, table: str) -> list[str]:
        try:
            async with self._fenced(self._timeout_ms) as connection:
                await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
                indexes = await connection.fetch(_INDEXES, table)
                for index in indexes:
                    await connection.execute(f'DROP INDEX "{index["name"]}"')
        except asyncpg.LockNotAvailableError:  # somebody reads it for long: a backup, perhaps
            _log.warning("index_stays", table=table)
            return []
        return [str(index["definition"]) for index in indexes]

    async def _build(self, table: str, definition: str) -> None:
        try:
            await self._build_with(table, definition, workers=_WORKERS)
        except asyncpg.InsufficientResourcesError as error:
            # Workers share memory, of which a container has 64 MB unless it is told otherwise.
            _log.warning("index_built_by_one", table=table, error=type(error).__name__)
            await self._build_with(table, definition, workers=0)

    async def _build_with(self, table: str, definition: str, *, workers: int) -> None:
        async with self._fenced(_NO_LIMIT) as connection:
            count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - as above
            settings = {
                "maintenance_work_mem": f"{_memory_mib(count, self._dimension)}MB",
                "max_parallel_maintenance_workers": str(workers),
                # A server does not look whether anybody waits for a statement, or it would go on
                # for minutes, and keep whoever takes the lease waiting, when we were killed.
                "client_connection_check_interval": "1s",
            }
            for name, value in settings.items():
                await connection.execute(_SET, name, value)
            # LightRAG may have been opened by another process, which has made it.
            again = definition.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1)
            await connection.execute(again)


async def copy_rows(
    connection: asyncpg.Connection,
    table: str,
    statement: str,
    rows: dict[str, tuple[Any, ...]],
    *,
    workspace: str,
) -> None:
    """Put rows by COPY in place of LightRAG's own statement, which inserts them.

    Args:
        connection: in a transaction.
        table: LightRAG's name of it.
        statement: LightRAG's, which says what the columns are.
        rows: the values of the columns by their ids.
        workspace: whose they are.
    """
    columns = _COLUMNS.match(statement)
    if columns is None:
        raise ValueError(statement)
    # A copy that was broken off begins again a little before its end.
    await connection.execute(
        f"DELETE FROM {table} WHERE workspace = $1 AND id = ANY($2)",  # noqa: S608 - as above
        workspace,
        list(rows),
    )
    await connection.copy_records_to_table(
        table.lower(),  # quoted by the driver, and by LightRAG not
        columns=[name.strip() for name in columns[1].split(",")],
        records=rows.values(),
    )


def _memory_mib(vectors: int, dimension: int) -> int:
    """Return what an index of so many vectors needs while it is built, within limits."""
    needed = vectors * (dimension * _BYTES_A_NUMBER + _BYTES_A_VECTOR) >> 20
    return max(_LEAST_MEMORY_MIB, min(needed + 1, _MOST_MEMORY_MIB))
