"""LightRAG's tables in PostgreSQL: its own SQL, in transactions that hold the lease's row.

LightRAG's storages write through a database object; here they get one that runs everything on one
connection, in one transaction, whose first statement checks the lease and keeps takers waiting.
"""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import numpy as np
from lightrag import LightRAG
from lightrag.kg.postgres_impl import namespace_to_table_name

from shared.ledger.records import CommitLease
from worker.commit.apply.postgres_vectors import VectorFilling, copy_rows
from worker.commit.apply.storages import carry_out
from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.unit import STATUS_STORAGE

_HOLD = """
SELECT 1 FROM commit_leases
WHERE workspace = $1 AND lease_token = $2 AND lease_until_ms IS NOT NULL FOR KEY SHARE
"""
_APPLIED = "SELECT seq FROM applied_journals WHERE physical = $1"
_FINISH = """
INSERT INTO applied_journals (physical, seq) VALUES ($1, $2)
ON CONFLICT (physical) DO UPDATE SET seq = EXCLUDED.seq
"""
# LightRAG's columns. Names have 256 characters at most, so two of them and what joins them may have
# 517; ids of documents, chunks and replies are far shorter.
LONGEST_IDS = {"relation_chunks": 512}
_VECTOR_ROWS = {
    "chunks_vdb": "_upsert_chunks",
    "entities_vdb": "_upsert_entities",
    "relationships_vdb": "_upsert_relationships",
}


class PostgresStore:
    """Vectors and document status of one workspace, and rows and graph where they are here too."""

    name = "postgres"

    def __init__(self, rag: LightRAG, lease: CommitLease, *, timeout_ms: int) -> None:
        self._rag = rag
        self._lease = lease
        self._timeout_ms = timeout_ms
        self._database = rag.doc_status.db
        self._filling: VectorFilling | None = None

    async def raise_fence(self) -> None:
        """Nothing to do: taking the lease in the ledger, in this database, raised it."""

    async def applied_seq(self) -> int:
        """Return the number of the last journal that is here whole."""
        found = await self._database.query(_APPLIED, [self._lease.physical])
        return 0 if found is None else int(found["seq"])

    async def apply(self, operation: Operation) -> None:
        """Carry one operation out in one transaction; where a live index is filled, in some."""
        if self._filling is None or operation.kind is not Kind.PUT_VECTORS:
            await self._apply_in_one(operation)
            return
        table = table_of(operation.storage, getattr(self._rag, operation.storage))
        async with self._filling.room(operation, table) as some:
            for piece in some:
                await self._apply_in_one(piece)

    async def _apply_in_one(self, operation: Operation) -> None:
        async with self._fenced() as connection:
            await self._apply(operation, connection)

    @asynccontextmanager
    async def filling(self) -> AsyncIterator[None]:
        """Copy vectors within a `with` block, and index them when they are there."""
        filling = self._filling = VectorFilling(
            self._fenced,
            workspace=self._rag.workspace,
            dimension=self._rag.embedding_func.embedding_dim,
            timeout_ms=self._timeout_ms,
        )
        try:
            yield
            await filling.finish()
        finally:
            self._filling = None
            await filling.stop()

    def begin_sync(self) -> None:
        """Nothing to do: a transaction is durable when it ends."""

    async def finish(self, seq: int) -> None:
        """Note the journal's number; a transaction is durable when it ends."""
        async with self._fenced() as connection:
            await connection.execute(_FINISH, self._lease.physical, seq)

    @asynccontextmanager
    async def _fenced(self, timeout_ms: int | None = None) -> AsyncIterator[asyncpg.Connection]:
        await self._database._ensure_pool()  # noqa: SLF001 - pinned internals
        async with self._database.pool.acquire() as connection, connection.transaction():
            # Shorter than the lease: a holder that is stopped here must not block its successor.
            statement_ms = self._timeout_ms if timeout_ms is None else timeout_ms
            await connection.execute(
                f"SET LOCAL statement_timeout = {statement_ms};"
                f"SET LOCAL idle_in_transaction_session_timeout = {self._timeout_ms}"
            )
            held = await connection.fetchval(_HOLD, self._lease.workspace, self._lease.token)
            if held is None:
                raise FencedOffError
            yield connection

    async def _apply(self, operation: Operation, connection: asyncpg.Connection) -> None:
        storage = copy.copy(getattr(self._rag, operation.storage))
        storage.db = _OneConnection(self._database, connection)
        match operation.kind:
            case Kind.PUT_VECTORS:
                await _put_vectors(
                    storage, operation, connection, is_filling=self._filling is not None
                )
            case Kind.REMOVE_ROWS | Kind.REMOVE_STATUS | Kind.REMOVE_VECTORS:
                # LightRAG's own swallows errors, and PostgreSQL would roll back in silence.
                await connection.execute(
                    f"DELETE FROM {table_of(operation.storage, storage)} "  # noqa: S608 - LightRAG's name
                    "WHERE workspace = $1 AND id = ANY($2)",
                    storage.workspace,
                    operation.rows,
                )
            case _:
                await carry_out(operation, storage)


def table_of(name: str, storage: Any) -> str:  # noqa: ANN401 - one of LightRAG's
    """Return the table of a storage, which LightRAG holds under `name`."""
    if name in _VECTOR_ROWS:
        return str(storage.table_name)
    return str(
        namespace_to_table_name("doc_status" if name == STATUS_STORAGE else storage.namespace)
    )


async def _put_vectors(
    storage: Any,  # noqa: ANN401 - LightRAG's PGVectorStorage
    operation: Operation,
    connection: asyncpg.Connection,
    *,
    is_filling: bool,
) -> None:
    build = getattr(storage, _VECTOR_ROWS[operation.storage])
    now = datetime.now(UTC).replace(tzinfo=None)
    statement = ""
    rows = {}
    for (key, row), vector in zip(operation.rows, operation.vectors, strict=True):
        numbers = np.frombuffer(vector, dtype="<f4")
        statement, rows[key] = build({**row, "__id__": key, "__vector__": numbers}, now)
    if is_filling:
        table, workspace = table_of(operation.storage, storage), storage.workspace
        await copy_rows(connection, table, statement, rows, workspace=workspace)
    else:
        await connection.executemany(statement, rows.values())


class _OneConnection:
    """Stands where LightRAG's storages keep their database; never retries, never commits."""

    def __init__(self, database: Any, connection: asyncpg.Connection) -> None:  # noqa: ANN401 - LightRAG's
        self._database = database
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - workspace, vector_index_type, …
        return getattr(self._database, name)

    async def _run_with_retry(
        self,
        operation: Callable[[asyncpg.Connection], Awaitable[Any]],
        **_options: Any,  # noqa: ANN401 - LightRAG's
    ) -> Any:  # noqa: ANN401 - what the operation returns
        return await operation(self._connection)

    async def execute(self, sql: str, data: dict[str, Any] | None = None, **_options: Any) -> None:  # noqa: ANN401 - as above
        await self._connection.execute(sql, *(data or {}).values())
