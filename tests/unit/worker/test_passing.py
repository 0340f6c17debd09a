"""A unit of work never lets LightRAG past it to a storage: not to write, and not to read either."""

import inspect
from typing import Any

import pytest
from lightrag.kg.json_doc_status_impl import JsonDocStatusStorage
from lightrag.kg.json_kv_impl import JsonKVStorage
from lightrag.kg.nano_vector_db_impl import NanoVectorDBStorage
from lightrag.kg.neo4j_impl import Neo4JStorage
from lightrag.kg.networkx_impl import NetworkXStorage
from lightrag.kg.pgtable_impl import PGTableGraphStorage
from lightrag.kg.postgres_impl import PGDocStatusStorage, PGKVStorage, PGVectorStorage
from lightrag.kg.redis_impl import RedisKVStorage

from worker.commit.embed import Embedder
from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.graph import GraphUnit
from worker.commit.unit_of_work.passing import UnjournaledAccessError
from worker.commit.unit_of_work.rows import RowsUnit
from worker.commit.unit_of_work.vectors import VectorsUnit

STORAGES: dict[type, type] = {
    JsonKVStorage: RowsUnit,
    RedisKVStorage: RowsUnit,
    PGKVStorage: RowsUnit,
    JsonDocStatusStorage: RowsUnit,
    PGDocStatusStorage: RowsUnit,
    NanoVectorDBStorage: VectorsUnit,
    PGVectorStorage: VectorsUnit,
    NetworkXStorage: GraphUnit,
    PGTableGraphStorage: GraphUnit,
    Neo4JStorage: GraphUnit,
}


def unit_over(storage: Any, kind: type, failures: Failures) -> Any:
    if kind is VectorsUnit:
        graph = GraphUnit(storage, failures)
        return VectorsUnit(storage, Embedder(storage, batch_size=1), graph, failures)
    return kind(storage, failures)


def methods(kind: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[:2] != "__"]


@pytest.mark.parametrize("kind", STORAGES, ids=lambda kind: kind.__name__)
def test_what_is_not_the_units_own_is_refused_and_remembered(kind: type) -> None:
    storage = object.__new__(kind)  # never opened: whatever got through would fail otherwise
    unit_kind = STORAGES[kind]
    others = [name for name in methods(kind) if not hasattr(unit_kind, name)]
    assert {"drop", "finalize", "initialize"} <= set(others)
    for name in others:
        failures = Failures()
        with pytest.raises(UnjournaledAccessError, match=name):
            getattr(unit_over(storage, unit_kind, failures), name)()
        with pytest.raises(UnjournaledAccessError):  # also when LightRAG swallowed it
            failures.raise_first()


@pytest.mark.parametrize("kind", dict.fromkeys(STORAGES.values()), ids=lambda kind: kind.__name__)
def test_what_a_storage_is_can_be_asked(kind: type) -> None:
    class Storage:
        namespace = "entities"
        embedding_func = Failures  # called, and no method of the storage

    unit = unit_over(Storage(), kind, Failures())
    assert unit.namespace == "entities"
    assert unit.embedding_func is Failures
