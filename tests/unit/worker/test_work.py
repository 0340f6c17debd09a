"""How many tasks one journal may hold, and what becomes of them."""

from typing import Any

import pytest

from shared.ids import DocumentId, PhysicalWorkspace, TaskId, WorkspaceName
from shared.ledger.records import Outcome, Task, TaskKind, TaskState
from worker.commit.prepared import PreparedDocument, Slice
from worker.commit.work import Work, fitting, outcome_of
from worker.ingestion.encoding import Extraction

DIM = 100


def task(name: str, **changed: Any) -> Task:
    values: dict[str, Any] = dict.fromkeys(Task.__dataclass_fields__)
    values |= {
        "id": TaskId(f"task-{name}"),
        "doc_id": DocumentId(name),
        "workspace": WorkspaceName("w"),
        "physical": PhysicalWorkspace("w"),
        "kind": TaskKind.INSERT,
        "state": TaskState.READY,
        "committed_chunks": 0,
    }
    return Task(**(values | changed))


def insert(name: str, *, chunks: int = 2, start: int = 0, stop: int | None = None) -> Work:
    rows = {f"{name}-{number}": {"content": "x" * 1000} for number in range(chunks)}
    found = [Extraction(nodes={"A": [], "B": []}, edges={("A", "B"): []}) for _ in rows]
    document = PreparedDocument(
        TaskId(f"task-{name}"), DocumentId(name), f"{name}.txt", "text", rows, found
    )
    return Work(task(name), Slice(document, start, chunks if stop is None else stop))


def delete(name: str) -> Work:
    return Work(task(name, kind=TaskKind.DELETE), None)


def names(works: list[Work]) -> list[str]:
    return [work.doc_id for work in works]


def test_a_group_is_filled_in_order_up_to_the_limit() -> None:
    works = [insert("a"), insert("b"), insert("c")]
    one = works[0].size_bytes(dimension=DIM)
    assert names(fitting(works, dimension=DIM, limit_bytes=3 * one)) == ["a", "b", "c"]
    assert names(fitting(works, dimension=DIM, limit_bytes=3 * one - 1)) == ["a", "b"]


def test_the_first_task_fits_whatever_its_size() -> None:
    assert names(fitting([insert("a", chunks=50), delete("b")], dimension=DIM, limit_bytes=1)) == [
        "a"
    ]
    assert fitting([], dimension=DIM, limit_bytes=1) == []


@pytest.mark.parametrize(("start", "stop"), [(0, 2), (2, 4), (2, 6)])
def test_a_slice_goes_alone(start: int, stop: int) -> None:
    part = insert("large", chunks=6, start=start, stop=stop)
    assert names(fitting([part, insert("b")], dimension=DIM, limit_bytes=10**9)) == ["large"]
    assert names(fitting([insert("b"), part], dimension=DIM, limit_bytes=10**9)) == ["b"]


def test_vectors_count_and_names_count_once() -> None:
    small, large = (insert("a").size_bytes(dimension=size) for size in (100, 200))
    assert large - small == (2 + 1 + 2) * 4 * 100  # two names, one relation, two chunks


def test_only_the_first_slice_and_a_delete_replace_what_is_there() -> None:
    works = [insert("a"), delete("b"), insert("c", chunks=4, start=2), insert("d", stop=1)]
    assert [work.replaces for work in works] == [True, True, False, True]


def test_what_is_not_complete_advances() -> None:
    works = [insert("a"), insert("b", chunks=6, start=2, stop=4), delete("c"),
             insert("d", chunks=6, start=4, stop=6)]  # fmt: skip
    assert outcome_of(works) == Outcome(
        succeeded=[TaskId("task-a"), TaskId("task-c"), TaskId("task-d")],
        advanced={TaskId("task-b"): 4},
    )


def test_a_slice_is_shortened_from_its_start() -> None:
    piece = insert("a", chunks=6, start=2).piece
    assert piece is not None
    shortened = piece.shortened(3)
    assert (shortened.start, shortened.stop, shortened.is_first, shortened.is_last) == (
        2, 5, False, False,
    )  # fmt: skip
    assert list(shortened.chunks) == ["a-2", "a-3", "a-4"]
    assert len(shortened.extractions) == 3
    assert piece.shortened(99) == piece
