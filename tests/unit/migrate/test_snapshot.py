"""A snapshot: what was read first, with what changed in its place."""

from contextlib import closing
from pathlib import Path

import pytest

from ops.migrate.errors import SourceUnreadableError
from ops.migrate.live.changes import read_again
from ops.migrate.live.snapshot import Snapshot
from ops.migrate.sections import SECTIONS, keys_of
from ops.migrate.stores_source import Found
from worker.commit.operations import Kind, Operation

GRAPH = "chunk_entity_relation_graph"


def texts(*ids: str, text: str = "first") -> Operation:
    return Operation(Kind.PUT_ROWS, "full_docs", [[one, {"content": text}] for one in ids])


def vectors(**numbers: bytes) -> Operation:
    rows = [[name, {"content": name}] for name in numbers]
    return Operation(Kind.PUT_VECTORS, "chunks_vdb", rows, tuple(n * 4 for n in numbers.values()))


def relation(one: str, two: str, weight: int) -> Operation:
    return Operation(Kind.PUT_EDGES, GRAPH, [[one, two, {"weight": weight}]])


async def given(snapshot: Snapshot) -> list[Operation]:
    return [operation async for operation in snapshot.operations()]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(tmp_path / "made", dimension=1, embedding_model="m")


async def test_what_did_not_change_comes_as_it_came(snapshot: Snapshot) -> None:
    operations = [texts("a", "b"), texts("c"), relation("x", "y", 1), vectors(v=b"\0")]
    with closing(snapshot):
        for operation in operations:
            snapshot.add(operation)
        assert await given(snapshot) == operations
        assert await given(snapshot) == operations


async def test_what_changed_takes_the_place_of_what_was_read_and_comes_in_its_section(
    snapshot: Snapshot,
) -> None:
    with closing(snapshot):
        for operation in (texts("a", "b", "c"), relation("x", "y", 1), vectors(v=b"\0", w=b"\1")):
            snapshot.add(operation)
        snapshot.change(texts("b", "new", text="second"))
        snapshot.change(texts("b", text="third"))
        snapshot.remove("full_docs", [("c",), ("never there",)])
        snapshot.change(relation("y", "x", 2))
        snapshot.change(vectors(v=b"\2", u=b"\3"))
        assert await given(snapshot) == [
            texts("a"),
            Operation(
                Kind.PUT_ROWS,
                "full_docs",
                [["b", {"content": "third"}], ["new", {"content": "second"}]],
            ),
            relation("y", "x", 2),
            vectors(w=b"\1"),
            vectors(u=b"\3", v=b"\2"),
        ]


async def test_sections_come_in_their_order_also_where_nothing_was_read_first(
    snapshot: Snapshot,
) -> None:
    with closing(snapshot):
        snapshot.add(relation("x", "y", 1))
        for operation in (vectors(v=b"\0"), texts("a"), relation("z", "y", 1)):
            snapshot.change(operation)
        assert await given(snapshot) == [
            texts("a"),
            relation("x", "y", 1),
            relation("z", "y", 1),
            vectors(v=b"\0"),
        ]


async def test_what_is_gone_again_stays_gone(snapshot: Snapshot) -> None:
    with closing(snapshot):
        snapshot.add(texts("a"))
        snapshot.change(texts("a", text="second"))
        snapshot.remove("full_docs", [("a",)])
        assert await given(snapshot) == []


def test_a_snapshot_has_no_files_that_a_killed_process_could_leave(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    with closing(snapshot):
        snapshot.add(texts("a"))
        snapshot.change(texts("b"))
        assert [*(tmp_path / "made").iterdir()] == []


async def test_what_is_there_by_half_is_refused_only_when_nobody_writes(snapshot: Snapshot) -> None:
    class Half:
        async def read(self, _section: str, keys: list[tuple[str, ...]]) -> Found:
            return Found(half=keys)

    with closing(snapshot):
        snapshot.add(vectors(v=b"\0"))
        snapshot.items.touch("chunks_vdb", [("v",)])
        await read_again(Half(), snapshot, is_final=False)  # type: ignore[arg-type]
        assert await given(snapshot) == []
        snapshot.items.touch("chunks_vdb", [("v",)])
        with pytest.raises(SourceUnreadableError, match="1 items of chunks_vdb"):
            await read_again(Half(), snapshot, is_final=True)  # type: ignore[arg-type]


def test_touched_items_are_taken_once_in_pages(snapshot: Snapshot) -> None:
    with closing(snapshot):
        for _ in range(2):
            snapshot.items.touch("entities", [(name,) for name in "cab"])
        assert [*snapshot.items.touched("entities", page=2)] == [[("a",), ("b",)], [("c",)]]
        assert [*snapshot.items.touched("entities", page=2)] == []


@pytest.mark.parametrize("kind", Kind)
def test_puts_and_removals_of_an_item_name_the_same_key(kind: Kind) -> None:
    is_put, is_pair = kind.startswith("put"), kind.endswith("edges")
    row = ["y", "x"] if is_pair else ["y"]
    rows = [[*row, {}]] if is_put else [row if is_pair else "y"]
    assert keys_of(Operation(kind, GRAPH, rows)) == [("x", "y") if is_pair else ("y",)]


def test_every_section_is_known_under_the_name_that_operations_have() -> None:
    for section, (kind, storage) in SECTIONS.items():
        assert keys_of(Operation(kind, storage, [])) == []
        assert section in {storage, "entities", "relations"}
