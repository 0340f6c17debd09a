"""Changes become small operations, in the order that harms readers least, and come back whole."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.commit import operations as operations_module
from worker.commit.changes import Changes, GraphChanges, RowChanges, VectorChanges
from worker.commit.encoding import (
    UnstorableRecordError,
    decode,
    encode,
    encode_one,
)
from worker.commit.operations import Kind, Operation, halves, operations_of, pieces

NOTHING = RowChanges({}, [])
NO_GRAPH = GraphChanges({}, {}, [], [])
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
value = (
    text
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
row = st.dictionaries(text, value | st.lists(text), max_size=4)
DIM = 3


def vector(*numbers: float) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *numbers)


def everything() -> Changes:
    return Changes(
        rows={"text_chunks": RowChanges({"c": {"content": "x"}}, ["old"])},
        vectors={
            "entities_vdb": VectorChanges({"e": {"content": "y"}}, {"e": vector(1, 2, 3)}, ["f"])
        },
        graph=GraphChanges({"A": {"d": 1}}, {("A", "B"): {"w": 2}}, ["C"], [("C", "D")]),
        status=RowChanges({"doc": {"status": "processed"}}, ["gone"]),
    )


def test_texts_come_first_and_the_status_last() -> None:
    kinds = [operation.kind for operation in operations_of(everything(), written_at_s=5)]
    assert kinds == [
        Kind.PUT_ROWS,
        Kind.PUT_NODES,
        Kind.PUT_EDGES,
        Kind.PUT_VECTORS,
        Kind.REMOVE_VECTORS,
        Kind.REMOVE_EDGES,
        Kind.REMOVE_NODES,
        Kind.REMOVE_ROWS,
        Kind.PUT_STATUS,
        Kind.REMOVE_STATUS,
    ]


def test_operations_hold_rows_in_the_shape_that_stores_expect() -> None:
    found = {operation.kind: operation for operation in operations_of(everything(), written_at_s=5)}
    assert found[Kind.PUT_ROWS].rows == [
        ["c", {"create_time": 5, "content": "x", "update_time": 5}]
    ]
    assert found[Kind.PUT_EDGES].rows == [["A", "B", {"w": 2}]]
    assert found[Kind.PUT_VECTORS].vectors == (vector(1, 2, 3),)
    assert found[Kind.REMOVE_EDGES].rows == [["C", "D"]]
    assert found[Kind.PUT_STATUS].rows == [["doc", {"status": "processed"}]]


def test_a_row_that_was_there_keeps_the_time_of_its_making() -> None:
    changes = Changes(
        {"full_docs": RowChanges({"d": {"create_time": 1}}, [])}, {}, NO_GRAPH, NOTHING
    )
    [operation] = operations_of(changes, written_at_s=5)
    assert operation.rows == [["d", {"create_time": 1, "update_time": 5}]]


def test_no_changes_are_no_operations() -> None:
    assert list(operations_of(Changes({}, {}, NO_GRAPH, NOTHING), written_at_s=5)) == []


def test_operations_are_cut_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = {f"n{number}": {"d": "x" * 10} for number in range(7)}
    changes = Changes({}, {}, GraphChanges(nodes, {}, [], []), NOTHING)
    monkeypatch.setattr(operations_module, "_ROWS", 3)
    assert [len(o.rows) for o in operations_of(changes, written_at_s=5)] == [3, 3, 1]
    monkeypatch.setattr(operations_module, "_BYTES", 25)
    found = list(operations_of(changes, written_at_s=5))
    assert [len(o.rows) for o in found] == [2, 2, 2, 1]
    assert [name for o in found for name, _ in o.rows] == list(nodes)


def test_a_row_larger_than_the_bound_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations_module, "_BYTES", 100)
    nodes = {"a": {"d": "x"}, "b": {"d": "x" * 500}, "c": {"d": "x"}}
    changes = Changes({}, {}, GraphChanges(nodes, {}, [], []), NOTHING)
    assert [len(o.rows) for o in operations_of(changes, written_at_s=5)] == [1, 1, 1]


def test_vectors_stay_with_their_rows_when_operations_are_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations_module, "_ROWS", 2)
    keys = [f"k{number}" for number in range(5)]
    vectors = {key: vector(number, 0, 0) for number, key in enumerate(keys)}
    changed = VectorChanges({key: {} for key in keys}, vectors, [])
    found = list(
        operations_of(Changes({}, {"chunks_vdb": changed}, NO_GRAPH, NOTHING), written_at_s=5)
    )
    paired = [(key, one) for o in found for (key, _), one in zip(o.rows, o.vectors, strict=True)]
    assert paired == list(vectors.items())


@st.composite
def an_operation(draw: st.DrawFn) -> Operation:
    rows = draw(st.lists(st.tuples(text, row).map(list), min_size=1, max_size=5))
    if draw(st.booleans()):
        numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
        vectors = tuple(vector(*(draw(numbers) for _ in range(DIM))) for _ in rows)
        return Operation(Kind.PUT_VECTORS, "entities_vdb", rows, vectors)
    return Operation(draw(st.sampled_from([Kind.PUT_ROWS, Kind.PUT_NODES])), draw(text), rows)


@given(st.lists(an_operation(), max_size=6))
def test_operations_survive_the_journal(found: list[Operation]) -> None:
    parts = encode(found, dimension=DIM)
    assert [operation for part in parts for operation in decode(part)] == found


def test_parts_are_cut_between_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.commit.encoding.PART_BYTES", 100)
    found = [
        Operation(Kind.PUT_VECTORS, "v", [[str(n), {"c": "x" * 30}]], (vector(n, 0, 0),))
        for n in range(5)
    ]
    parts = encode(found, dimension=DIM)
    assert len(parts) == 5
    assert [operation for part in parts for operation in decode(part)] == found


def test_nothing_is_written_as_no_part() -> None:
    assert encode([], dimension=DIM) == []


@pytest.mark.parametrize(
    "rows",
    [
        [["k", {"d": "a\0b"}]],
        [["k", {"d\0": "a"}]],
        [["k\0", {}]],
        [["k", {"d": {"deep": ["a", "\0"]}}]],
        [["k", {"d": "half \ud800"}]],
        [["\udfff", {}]],
        [["k", {"weight": float("nan")}]],
        [["k", {"weight": float("inf")}]],
    ],
    ids=["nul", "nul in a name", "nul in a key", "deep nul", "half", "half in a key", "nan", "inf"],
)
def test_a_row_that_no_store_takes_is_refused(rows: list[Any]) -> None:
    with pytest.raises(UnstorableRecordError):
        encode([Operation(Kind.PUT_ROWS, "full_docs", rows)], dimension=DIM)


@pytest.mark.parametrize(
    "vectors",
    [
        (vector(1, 2),),
        (vector(1, 2, 3, 4),),
        (vector(1, float("nan"), 3),),
        (vector(1, float("inf"), 3),),
        (vector(1, 2, 3), vector(1, 2, 3)),
    ],
    ids=["short", "long", "nan", "infinite", "too many"],
)
def test_a_vector_that_no_store_takes_is_refused(vectors: tuple[bytes, ...]) -> None:
    operation = Operation(Kind.PUT_VECTORS, "chunks_vdb", [["k", {}]], vectors)
    with pytest.raises(UnstorableRecordError):
        encode([operation], dimension=DIM)


def test_words_that_look_like_an_escaped_nul_are_fine() -> None:
    operation = Operation(Kind.PUT_ROWS, "full_docs", [["k", {"d": "\\u0000 and \\\\u0000"}]])
    [part] = encode([operation], dimension=DIM)
    assert list(decode(part)) == [operation]


def test_one_operation_can_be_written_down_and_read_back() -> None:
    operation = Operation(Kind.PUT_VECTORS, "v", [["k", {"a": 1}]], (vector(1, 2, 3),))
    assert list(decode(encode_one(operation))) == [operation]


@given(an_operation().filter(lambda found: len(found.rows) > 1))
def test_halves_are_the_whole(operation: Operation) -> None:
    one, two = halves(operation)
    assert one.rows
    assert two.rows
    assert one.rows + two.rows == operation.rows
    assert one.vectors + two.vectors == operation.vectors
    assert (one.kind, two.storage) == (operation.kind, operation.storage)


@given(an_operation(), st.integers(1, 5))
def test_pieces_are_the_whole(operation: Operation, rows: int) -> None:
    found = list(pieces(operation, rows))
    assert [row for piece in found for row in piece.rows] == operation.rows
    assert tuple(one for piece in found for one in piece.vectors) == operation.vectors
    assert all(len(piece.rows) <= rows for piece in found)
