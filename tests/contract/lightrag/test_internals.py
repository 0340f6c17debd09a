"""What we rely on inside LightRAG: an upgrade that changes any of it fails here, by name."""

import copy
import inspect
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from lightrag import LightRAG
from lightrag.kg.neo4j_impl import Neo4JStorage

from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from shared.settings import load_settings
from tests.contract.lightrag.committing import APOLLO, EINSTEIN, commit, merged, prepare, put
from tests.integration.engine.shapes import server_variables
from tests.models import DIM, CountingModel, models_of
from worker.commit.apply.postgres import _VECTOR_ROWS, PostgresStore, _OneConnection, table_of
from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.graph import GraphUnit
from worker.commit.unit_of_work.rows import RowsUnit
from worker.commit.unit_of_work.vectors import VectorsUnit

NOW = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
VECTOR = np.eye(DIM, dtype="<f4")[1]  # of length 1
ON_POSTGRES = (
    "full_docs", "text_chunks", "llm_response_cache", "full_entities", "full_relations",
    "entity_chunks", "relation_chunks", "entities_vdb", "relationships_vdb", "chunks_vdb",
    "chunk_entity_relation_graph", "doc_status",
)  # fmt: skip


@pytest.mark.parametrize("unit", [GraphUnit, RowsUnit, VectorsUnit])
async def test_merging_and_deleting_use_nothing_but_what_units_of_work_have(
    rags: RagPool, workspace: PhysicalWorkspace, monkeypatch: pytest.MonkeyPatch, unit: type
) -> None:
    def only_values(self: Any, name: str) -> Any:
        value = getattr(self._storage, name)
        if callable(value) and name != "embedding_func":
            raise AssertionError(name)
        return value

    async with rags.use(workspace) as rag:
        await put(rag, "shared", EINSTEIN)
        monkeypatch.setattr(unit, "__getattr__", only_values)
        await commit(rag, await prepare(rag, "apollo", APOLLO), gone=["nobody"])
        await commit(rag, await prepare(rag, "more", EINSTEIN))
        await commit(rag, gone=["shared"])
        assert await rag.doc_status.get_by_id("shared") is None


async def test_the_configuration_is_asked_of_the_instance(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    class AskedError(BaseException):
        pass

    def asked() -> None:
        raise AskedError

    async with rags.use(workspace) as rag:
        await put(rag, "apollo", APOLLO)
        await put(rag, "again", APOLLO)  # what both have must be rebuilt
        working = copy.copy(rag)
        working._build_global_config = asked  # type: ignore[method-assign,assignment] # that is the point
        with pytest.raises(AskedError):
            await working.adelete_by_doc_id("apollo")
        assert "role_llm_funcs" in rag._build_global_config()
        assert "extract" in rag._build_global_config()["role_llm_funcs"]


async def test_a_vector_that_was_made_before_is_not_made_again(
    rags: RagPool, workspace: PhysicalWorkspace
) -> None:
    async with rags.use(workspace) as rag:
        storage: Any = rag.entities_vdb
        await storage.upsert({"ent-1": {"content": "x", "entity_name": "x", "source_id": "c"}})
        pending = storage._pending_upserts["ent-1"]
        assert pending.vector is None
        pending.vector = VECTOR

        async def no_model(*_arguments: object, **_options: object) -> None:
            raise AssertionError

        before, storage.embedding_func = storage.embedding_func, no_model
        await storage.index_done_callback()
        storage.embedding_func = before
        found = await storage.get_vectors_by_ids(["ent-1"])
        assert np.allclose(found["ent-1"], VECTOR, atol=1e-3)


def test_the_graph_in_neo4j_has_a_driver_a_database_and_a_label() -> None:
    source = inspect.getsource(Neo4JStorage.initialize)
    assert "self._driver: AsyncDriver = " in source
    assert "self._DATABASE = " in source
    storage = object.__new__(Neo4JStorage)
    storage.workspace = "books__g2"
    assert storage._get_workspace_label() == "books__g2"
    for method in (Neo4JStorage.upsert_node, Neo4JStorage.upsert_edge):
        written = inspect.getsource(method)
        assert "MERGE (" in written
        assert "SET n += $properties" in written or "SET r += $properties" in written
    assert "DIRECTED" in inspect.getsource(Neo4JStorage.upsert_edge)


@pytest.fixture(params=["postgres", "valkey"])
async def on_servers(
    request: pytest.FixtureRequest,
    fresh_database: str,
    fresh_valkey: str,
    workspace: PhysicalWorkspace,
    tmp_path: Path,
) -> AsyncIterator[LightRAG]:
    variables = server_variables(request.param, tmp_path, fresh_database, fresh_valkey)
    pool = RagPool(load_settings(None, overrides=variables), models_of(CountingModel()))
    async with pool.use(workspace) as rag:
        yield rag
    await pool.close()


@pytest.mark.parametrize("on_servers", ["postgres"], indirect=True)
async def test_every_write_to_postgresql_is_in_our_transaction(on_servers: LightRAG) -> None:
    """Nothing of it is there after a rollback, and everything after a commit."""
    rag = on_servers
    database = rag.doc_status.db
    operations = await merged(rag, await prepare(rag, "apollo", APOLLO))
    operations += [_vectors_and_status_removals(kind) for kind in _REMOVALS]
    store = _unfenced(rag)
    kinds = {operation.kind for operation in operations}
    assert kinds == set(Kind) - {Kind.REMOVE_EDGES, Kind.REMOVE_NODES}
    before = await _counts(rag)
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        for operation in operations:
            await store._apply(operation, connection)
        await transaction.rollback()
    assert await _counts(rag) == before
    async with database.pool.acquire() as connection, connection.transaction():
        for operation in operations:
            await store._apply(operation, connection)
    after = await _counts(rag)
    assert all(after[name] > before[name] for name in after if name != "llm_response_cache")
    found = await rag.chunk_entity_relation_graph.get_all_labels()
    async with database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        edges = await rag.chunk_entity_relation_graph.get_all_edges()
        pairs = [[edge["source"], edge["target"]] for edge in edges]
        name = "chunk_entity_relation_graph"
        await store._apply(Operation(Kind.REMOVE_EDGES, name, pairs), connection)
        await store._apply(Operation(Kind.REMOVE_NODES, name, found), connection)
        await transaction.rollback()
    assert await _counts(rag) == after
    assert await rag.doc_status.get_by_id("apollo") is not None
    assert await rag.full_docs.get_by_id("apollo") is not None


_REMOVALS = (Kind.REMOVE_VECTORS, Kind.REMOVE_STATUS, Kind.REMOVE_ROWS)


def _vectors_and_status_removals(kind: Kind) -> Operation:
    storages = {
        Kind.REMOVE_VECTORS: "entities_vdb",
        Kind.REMOVE_STATUS: "doc_status",
        Kind.REMOVE_ROWS: "full_docs",
    }
    return Operation(kind, storages[kind], ["nobody"])


def _unfenced(rag: LightRAG) -> PostgresStore:
    store = object.__new__(PostgresStore)
    store._rag = rag
    store._filling = None
    store._database = rag.doc_status.db
    return store


async def _counts(rag: LightRAG) -> dict[str, int]:
    """How many rows each storage has, as another connection sees it."""
    counts = {}
    async with rag.doc_status.db.pool.acquire() as connection:
        for name in ON_POSTGRES:
            storage = getattr(rag, name)
            if name == "chunk_entity_relation_graph":
                counts[name] = len(await storage.get_all_labels())
                continue
            counts[name] = await connection.fetchval(
                f"SELECT count(*) FROM {table_of(name, storage)} WHERE workspace = $1",  # noqa: S608 - LightRAG's name
                storage.workspace,
            )
    return counts


@pytest.mark.parametrize("on_servers", ["postgres"], indirect=True)
async def test_vector_rows_are_built_of_a_row_and_its_vector(on_servers: LightRAG) -> None:
    row = {
        "__id__": "id", "__vector__": VECTOR, "content": "c", "source_id": "a<SEP>b",
        "file_path": "f", "entity_name": "e", "src_id": "s", "tgt_id": "t", "tokens": 1,
        "chunk_order_index": 0, "full_doc_id": "d",
    }  # fmt: skip
    for name, builder in _VECTOR_ROWS.items():
        storage: Any = getattr(on_servers, name)
        statement, values = getattr(storage, builder)(row, NOW)
        assert "INSERT INTO" in statement.upper()
        assert storage.table_name in statement
        assert values[:2] == (storage.workspace, "id")
        assert any(value is VECTOR for value in values)
        assert statement.count("$") >= len(values)


@pytest.mark.parametrize("on_servers", ["valkey"], indirect=True)
async def test_rows_in_valkey_are_json_under_namespace_and_key(on_servers: LightRAG) -> None:
    storage: Any = on_servers.text_chunks
    await storage.upsert({"chunk-1": {"content": "Grüße", "tokens": 1}})
    assert storage.final_namespace == f"{storage.workspace}_text_chunks"
    kept = json.loads(await storage._redis.get(f"{storage.final_namespace}:chunk-1"))
    times = {kept.pop("create_time"), kept.pop("update_time")}
    assert all(isinstance(time, int) for time in times)
    assert kept == {"content": "Grüße", "tokens": 1, "llm_cache_list": [], "_id": "chunk-1"}
    await storage._redis.set(f"{storage.final_namespace}:ours", json.dumps({"content": "x"}))
    found = await storage.get_by_id("ours")
    assert found is not None
    assert found["content"] == "x"


async def test_one_connection_is_all_that_a_storage_writes_through() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.executed: list[tuple[object, ...]] = []

        async def execute(self, *arguments: object) -> None:
            self.executed.append(arguments)

    connection: Any = Recorder()
    database = _OneConnection(object(), connection)

    async def operation(given: asyncpg.Connection) -> object:
        return given

    assert await database._run_with_retry(operation, timing_label="x") is connection
    await database.execute("SQL", {"a": 1, "b": 2}, upsert=True)
    assert connection.executed == [("SQL", 1, 2)]
    with pytest.raises(AttributeError):
        database.query  # noqa: B018 - whatever else there is is the database's own
