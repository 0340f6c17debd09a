"""LightRAG's graph in Neo4j: every transaction first locks and checks the workspace's fence."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self

from lightrag import LightRAG

from shared.ids import PhysicalWorkspace
from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation

if TYPE_CHECKING:
    from neo4j import AsyncDriver, AsyncManagedTransaction

# LightRAG only ever looks at nodes of the workspace's own label, which has no capitals.
FENCE_CONSTRAINT = (
    "CREATE CONSTRAINT ragfleet_fence IF NOT EXISTS FOR (f:RagfleetFence) "
    "REQUIRE f.workspace IS UNIQUE"
)
_IS_THERE = "MATCH (f:RagfleetFence {workspace: $workspace}) RETURN f.token"
_CREATE = """
MERGE (f:RagfleetFence {workspace: $workspace})
ON CREATE SET f.token = 0, f.seq = 0
RETURN f.token
"""
_RAISE = """
MATCH (f:RagfleetFence {workspace: $workspace})
SET f.locked_by = $token
WITH f WHERE f.token <= $token
SET f.token = $token
RETURN f.token
"""
# Lock first, then compare: a comparison before the lock lets a holder through that was overtaken
# while it waited.
_CHECK = """
MATCH (f:RagfleetFence {workspace: $workspace})
SET f.locked_by = $token
WITH f WHERE f.token = $token
RETURN f.token
"""
_FINISH = "MATCH (f:RagfleetFence {workspace: $workspace}) SET f.seq = $seq"
_APPLIED = "MATCH (f:RagfleetFence {workspace: $workspace}) RETURN f.seq"
_WRITES = {
    Kind.PUT_NODES: """
        UNWIND $rows AS row
        MERGE (n:`{label}` {entity_id: row[0]})
        SET n += row[1]
    """,
    Kind.PUT_EDGES: """
        UNWIND $rows AS row
        MATCH (one:`{label}` {entity_id: row[0]})
        MATCH (two:`{label}` {entity_id: row[1]})
        MERGE (one)-[r:DIRECTED]-(two)
        SET r += row[2]
    """,
    Kind.REMOVE_EDGES: """
        UNWIND $rows AS row
        MATCH (:`{label}` {entity_id: row[0]})-[r]-(:`{label}` {entity_id: row[1]})
        DELETE r
    """,
    Kind.REMOVE_NODES: """
        UNWIND $rows AS name
        MATCH (n:`{label}` {entity_id: name})
        DETACH DELETE n
    """,
}

Work = Callable[["AsyncManagedTransaction"], Awaitable[Any]]


class Neo4jStore:
    """The graph of one workspace, in the layout of LightRAG's Neo4JStorage."""

    name = "neo4j"

    def __init__(
        self,
        driver: "AsyncDriver",
        *,
        database: str,
        workspace: PhysicalWorkspace,
        token: int,
        timeout_s: float,
    ) -> None:
        self._driver = driver
        self._database = database
        self._label = workspace  # ours need no quoting
        self._identity = {"workspace": workspace, "token": token}
        self._timeout_s = timeout_s

    @classmethod
    def of(cls, rag: LightRAG, *, token: int, timeout_s: float) -> Self:
        """Write by the connections of a LightRAG, which stay its own."""
        graph = rag.chunk_entity_relation_graph
        return cls(
            graph._driver,  # noqa: SLF001 - pinned internals
            database=graph._DATABASE,  # noqa: SLF001 - as above
            workspace=PhysicalWorkspace(rag.workspace),
            token=token,
            timeout_s=timeout_s,
        )

    async def raise_fence(self) -> None:
        """Let nobody with a lower token write; waits for a writer that is at it."""
        async with self._driver.session(database=self._database) as session:
            result = await session.run(_IS_THERE, workspace=self._identity["workspace"])
            if await result.single() is None:
                await (await session.run(FENCE_CONSTRAINT)).consume()
                await (await session.run(_CREATE, workspace=self._identity["workspace"])).consume()
        await self._write(lambda transaction: _require_row(transaction, _RAISE, self._identity))

    async def applied_seq(self) -> int:
        """Return the number of the last journal that is here whole."""
        async with self._driver.session(database=self._database) as session:
            result = await session.run(_APPLIED, workspace=self._identity["workspace"])
            record = await result.single()
        return int(record[0]) if record is not None else 0

    async def apply(self, operation: Operation) -> None:
        """Write or remove some entities or relations, in one transaction."""
        query = _WRITES[operation.kind].replace("{label}", self._label)
        await self._fenced(query, {"rows": operation.rows})

    def filling(self) -> AbstractAsyncContextManager[None]:
        """Nothing to do: all that is here is written at once."""
        return nullcontext()

    def begin_sync(self) -> None:
        """Nothing to do: a transaction is durable when it ends."""

    async def finish(self, seq: int) -> None:
        """Note the journal's number; a transaction of Neo4j is durable when it ends."""
        await self._fenced(_FINISH, {"workspace": self._identity["workspace"], "seq": seq})

    async def _fenced(self, query: str, parameters: dict[str, Any]) -> None:
        async def work(transaction: "AsyncManagedTransaction") -> None:
            await _require_row(transaction, _CHECK, self._identity)
            await (await transaction.run(query, parameters)).consume()

        await self._write(work)

    async def _write(self, work: Work) -> None:
        from neo4j import unit_of_work  # noqa: PLC0415 - 60 MB that only a Neo4j shape should pay

        # The server ends what a stopped holder left open, before its lease is taken over.
        timed = unit_of_work(timeout=self._timeout_s)(work)
        async with self._driver.session(database=self._database) as session:
            await session.execute_write(timed)


async def _require_row(
    transaction: "AsyncManagedTransaction", query: str, parameters: dict[str, Any]
) -> None:
    result = await transaction.run(query, parameters)
    if await result.single() is None:
        raise FencedOffError
