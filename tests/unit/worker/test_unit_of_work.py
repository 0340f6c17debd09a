"""Storages of a unit of work: reads see its writes, the stores are read once and not changed."""

import struct
from typing import Any

import pytest

from shared.errors import StoreUnavailableError
from worker.commit.embed import Embedder
from worker.commit.unit_of_work.failures import Failures
from worker.commit.unit_of_work.graph import GraphUnit
from worker.commit.unit_of_work.rows import RowsUnit
from worker.commit.unit_of_work.vectors import VectorsUnit

Row = dict[str, Any]


class Rows:
    """A key-value storage that counts what it is asked and refuses to be written."""

    namespace = "texts"

    def __init__(self, **rows: Row) -> None:
        self.rows = rows
        self.asked: list[list[str]] = []
        self.error: Exception | None = None

    async def get_by_ids(self, keys: list[str]) -> list[Row | None]:
        self.asked.append(keys)
        if self.error is not None:
            raise self.error
        return [self.rows.get(key) for key in keys]

    async def get_by_id(self, key: str) -> Row | None:
        return (await self.get_by_ids([key]))[0]


class Graph:
    """A graph storage that counts what it is asked and refuses to be written."""

    def __init__(self, nodes: dict[str, Row], edges: dict[tuple[str, str], Row]) -> None:
        self.nodes = nodes
        self.edges = edges
        self.asked = 0

    async def get_nodes_batch(self, names: list[str]) -> dict[str, Row]:
        self.asked += 1
        return {name: self.nodes[name] for name in names if name in self.nodes}

    async def get_edges_batch(self, pairs: list[Row]) -> dict[tuple[str, str], Row]:
        self.asked += 1
        asked = [(pair["src"], pair["tgt"]) for pair in pairs]
        return {pair: self.edges[pair] for pair in asked if pair in self.edges}

    async def get_nodes_edges_batch(self, names: list[str]) -> dict[str, list[tuple[str, str]]]:
        self.asked += 1
        return {name: [pair for pair in self.edges if name in pair] for name in names}


def rows_unit(**rows: Row) -> tuple[RowsUnit, Rows]:
    storage = Rows(**rows)
    return RowsUnit(storage, Failures()), storage


def graph_unit() -> tuple[GraphUnit, Graph]:
    storage = Graph(
        {name: {"entity_id": name} for name in ("a", "b", "c", "d")},
        {("a", "b"): {"w": 1}, ("b", "c"): {"w": 2}, ("c", "d"): {"w": 3}},
    )
    return GraphUnit(storage, Failures()), storage


async def test_rows_that_were_written_are_read_back() -> None:
    unit, _ = rows_unit(old={"v": 1})
    await unit.upsert({"new": {"v": 2}, "old": {"v": 3}})
    assert await unit.get_by_ids(["old", "none", "new"]) == [{"v": 3}, None, {"v": 2}]
    await unit.delete(["old", "never there"])
    assert await unit.get_by_id("old") is None
    assert (unit.puts, unit.removals) == ({"new": {"v": 2}}, ["never there", "old"])


async def test_a_row_is_read_once() -> None:
    unit, storage = rows_unit(a={"v": 1})
    await unit.prefetch(["a", "b", "a"])
    await unit.get_by_ids(["a", "b"])
    await unit.get_by_id("b")
    await unit.get_by_id_strict("a")
    assert storage.asked == [["a", "b"]]


async def test_rows_are_copies_in_both_directions() -> None:
    unit, storage = rows_unit(a={"v": 1})
    read = await unit.get_by_id("a")
    assert read is not None
    read["v"] = "changed"
    [again] = await unit.get_by_ids(["a"])
    assert again == {"v": 1} == storage.rows["a"]
    written = {"v": 2}
    await unit.upsert({"a": written})
    written["v"] = 3
    assert unit.puts == {"a": {"v": 2}}


async def test_a_row_that_was_removed_and_written_again_is_there() -> None:
    unit, _ = rows_unit(a={"v": 1})
    await unit.delete(["a"])
    await unit.upsert({"a": {"v": 2}})
    assert (unit.puts, unit.removals) == ({"a": {"v": 2}}, [])


async def test_status_fields_are_changed_in_a_row_that_is_there() -> None:
    unit, _ = rows_unit(doc={"status": "processed", "n": 1})
    await unit.update_doc_status_fields("doc", {"status": "failed"})
    assert unit.puts == {"doc": {"status": "failed", "n": 1}}
    with pytest.raises(KeyError):
        await unit.update_doc_status_fields("none", {"status": "failed"})
    await unit.update_doc_status_fields("none", {"status": "failed"}, missing_ok=True)
    assert list(unit.puts) == ["doc"]


async def test_a_failed_read_is_remembered_whoever_swallows_it() -> None:
    storage, failures = Rows(), Failures()
    unit = RowsUnit(storage, failures)
    storage.error = ConnectionRefusedError()
    with pytest.raises((StoreUnavailableError, ConnectionRefusedError)):
        await unit.get_by_id("a")
    storage.error = None
    assert await unit.get_by_id("a") is None  # a failed read is no row that is missing
    with pytest.raises((StoreUnavailableError, ConnectionRefusedError)):
        failures.raise_first()


async def test_nodes_and_edges_that_were_written_are_read_back() -> None:
    unit, _ = graph_unit()
    await unit.upsert_node("new", {"entity_id": "new"})
    await unit.upsert_edge("new", "a", {"w": 9})
    assert await unit.has_node("new")
    assert await unit.has_edge("a", "new")
    assert await unit.get_edge("new", "a") == await unit.get_edge("a", "new") == {"w": 9}
    assert await unit.get_node_edges("a") == [("a", "b"), ("a", "new")]
    assert await unit.get_node_edges("nobody") is None
    found = await unit.get_edges_batch([{"src": "new", "tgt": "a"}, {"src": "a", "tgt": "d"}])
    assert found == {("new", "a"): {"w": 9}}


async def test_properties_that_are_not_written_stay() -> None:
    unit, _ = graph_unit()
    await unit.get_node("a")
    await unit.upsert_node("a", {"description": "x"})
    assert unit.nodes == {"a": {"entity_id": "a", "description": "x"}}


async def test_a_removed_node_takes_its_relations_with_it() -> None:
    unit, storage = graph_unit()
    await unit.upsert_edge("b", "new", {"w": 4})
    await unit.remove_nodes(["b"])
    assert unit.removed_nodes == ["b"]
    assert unit.removed_edges == [("a", "b"), ("b", "c"), ("b", "new")]
    assert unit.edges == {}
    assert not await unit.has_edge("b", "a")
    assert await unit.get_node_edges("c") == [("c", "d")]
    assert await unit.get_nodes_batch(["a", "b"]) == {"a": {"entity_id": "a"}}
    assert len(storage.nodes) == 4
    assert len(storage.edges) == 3


async def test_a_removed_node_that_is_written_again_starts_afresh() -> None:
    unit, _ = graph_unit()
    await unit.delete_node("b")
    await unit.upsert_node("b", {"description": "again"})
    assert unit.nodes == {"b": {"description": "again"}}
    assert unit.removed_nodes == []
    assert await unit.get_node_edges("b") == []


async def test_a_relation_is_the_same_in_both_directions() -> None:
    unit, _ = graph_unit()
    await unit.remove_edges([("b", "a")])
    assert unit.removed_edges == [("a", "b")]
    assert await unit.get_edge("a", "b") is None
    await unit.upsert_edge("b", "a", {"w": 5})
    assert (unit.removed_edges, unit.edges) == ([], {("a", "b"): {"w": 5}})


async def test_the_graph_gives_and_takes_copies() -> None:
    unit, storage = graph_unit()
    node, edge = await unit.get_node("a"), await unit.get_edge("a", "b")
    assert node is not None
    assert edge is not None
    node["x"] = edge["x"] = 1
    assert storage.nodes["a"] == await unit.get_node("a") == {"entity_id": "a"}
    assert storage.edges["a", "b"] == await unit.get_edge("a", "b") == {"w": 1}
    mine: Row = {"v": 1}
    await unit.upsert_node("a", mine)
    await unit.upsert_edge("a", "b", mine)
    mine["v"] = 2
    assert (unit.nodes["a"]["v"], unit.edges["a", "b"]["v"]) == (1, 1)


async def test_the_graph_is_read_in_bulk_and_once() -> None:
    unit, storage = graph_unit()
    await unit.prefetch(["a", "b", "x"], [("b", "a"), ("a", "x")])
    for name in ("a", "b", "x"):
        await unit.get_node(name)
    await unit.get_edge("a", "b")
    await unit.has_edge("x", "a")
    assert storage.asked == 2


class Model:
    """Embeds a text as its length, and remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    async def embed(self, texts: list[str], *, context: str) -> Any:
        assert context == "document"
        self.batches.append(texts)
        return [[float(len(text))] for text in texts]


def over_nothing(embedder: Embedder) -> VectorsUnit:
    failures = Failures()
    return VectorsUnit(object(), embedder, GraphUnit(object(), failures), failures)


def vectors_unit(batch_size: int = 10) -> tuple[VectorsUnit, Embedder, Model]:
    model = Model()
    embedder = Embedder(model.embed, batch_size=batch_size)
    return over_nothing(embedder), embedder, model


def numbers(unit: VectorsUnit) -> dict[str, float]:
    return {key: struct.unpack("<f", vector)[0] for key, vector in unit.vectors.items()}


async def test_the_last_vector_row_of_an_id_counts_and_has_its_own_vector() -> None:
    unit, embedder, _ = vectors_unit()
    mine = {"content": "one"}
    await unit.upsert({"a": mine, "b": {"content": "b"}})
    mine["content"] = "changed"
    assert unit.puts["a"] == {"content": "one"}
    await unit.upsert({"a": {"content": "twelve"}})
    await embedder.finish()
    assert unit.puts["a"] == {"content": "twelve"}
    assert numbers(unit) == {"a": 6, "b": 1}


async def test_the_same_content_is_embedded_once_in_batches_that_start_when_they_are_full() -> None:
    unit, embedder, model = vectors_unit(batch_size=2)
    for content in ("one", "three", "one", "four", "three"):
        await unit.upsert({content: {"content": content, "source_id": "changes"}})
    await embedder.finish()
    assert model.batches == [["one", "three"], ["four"]]


async def test_known_vectors_are_kept_until_the_content_changes() -> None:
    unit, embedder, model = vectors_unit()
    unit.put_known({"a": {"content": "one"}, "b": {"content": "b"}}, {"a": b"1234", "b": b"5678"})
    await unit.upsert({"b": {"content": "new"}})
    await embedder.finish()
    assert unit.vectors["a"] == b"1234"
    assert numbers(unit)["b"] == 3
    assert model.batches == [["new"]]


async def test_vectors_are_removed_and_come_back() -> None:
    unit, embedder, _ = vectors_unit()
    await unit.upsert({"a": {"content": "one"}})
    await unit.delete(["a", "old"])
    await embedder.finish()
    assert (unit.puts, unit.vectors, unit.removals) == ({}, {}, ["a", "old"])
    await unit.upsert({"a": {"content": "two"}})
    assert unit.removals == ["old"]


async def test_an_embedding_that_fails_fails_the_group() -> None:
    async def broken(texts: list[str], *, context: str) -> Any:
        raise StoreUnavailableError

    embedder = Embedder(broken, batch_size=1)
    unit = over_nothing(embedder)
    await unit.upsert({"a": {"content": "one"}})
    with pytest.raises(StoreUnavailableError):
        await embedder.finish()


async def test_a_unit_shows_what_its_storage_is_called() -> None:
    unit, storage = rows_unit()
    assert unit.namespace == storage.namespace
