"""What a unit of work reads when there is much of it, and when the store below it has changed."""

from typing import Any

import pytest

from tests.unit.worker.test_unit_of_work import Graph, Rows, graph_unit, rows_unit
from worker.commit.unit_of_work import graph as graph_module
from worker.commit.unit_of_work import rows as rows_module

NAMES = [f"n{number}" for number in range(5)]


async def test_many_rows_are_read_in_bounded_pieces_and_completely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows_module, "_READ_AT_ONCE", 2)
    rows: dict[str, Any] = {name: {"v": name} for name in NAMES}
    unit, storage = rows_unit(**rows)
    assert await unit.get_by_ids(NAMES) == list(rows.values())
    assert storage.asked == [NAMES[:2], NAMES[2:4], NAMES[4:]]


async def test_many_entities_and_relations_are_read_in_bounded_pieces_and_completely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(graph_module, "_READ_AT_ONCE", 2)
    unit, storage = graph_unit()
    pairs = [("b", "a"), ("b", "c"), ("d", "c")]
    await unit.prefetch(["a", "b", "c", "d", "x"], pairs)
    assert storage.asked == 3 + 2
    assert list(await unit.get_nodes_batch(["a", "b", "c", "d", "x"])) == ["a", "b", "c", "d"]
    assert [await unit.get_edge(*pair) for pair in pairs] == [{"w": 1}, {"w": 2}, {"w": 3}]


async def test_a_storage_that_answers_with_nothing_has_none_of_the_rows() -> None:
    class Silent(Rows):
        async def get_by_ids(self, keys: list[str]) -> list[Any]:
            return []

    unit, _ = rows_unit()
    unit.read_from(Silent())
    assert await unit.get_by_ids(NAMES) == [None] * 5


async def test_reads_come_from_the_storage_that_was_named_last() -> None:
    rows, _ = rows_unit()
    rows.read_from(Rows(a={"v": "below"}))
    assert await rows.get_by_id("a") == {"v": "below"}
    graph, _ = graph_unit()
    graph.read_from(Graph({"z": {"entity_id": "z"}}, {}))
    assert await graph.has_node("z")


async def test_properties_of_a_relation_that_are_not_written_stay() -> None:
    unit, _ = graph_unit()
    await unit.get_edge("a", "b")
    await unit.upsert_edge("b", "a", {"description": "x"})
    assert unit.edges == {("a", "b"): {"w": 1, "description": "x"}}
