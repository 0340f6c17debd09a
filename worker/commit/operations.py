"""Changes as a list of small operations, in the order in which readers are harmed least."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.commit.changes import Changes, VectorChanges
from worker.commit.unit_of_work.unit import GRAPH_STORAGE, STATUS_STORAGE

# One transaction or script of a store: small enough to end well within a lease.
_ROWS = 500
_BYTES = 2 * 1024 * 1024
_ITEM_BYTES = 40


class Kind(StrEnum):
    """What an operation does to one storage."""

    PUT_ROWS = "put_rows"
    PUT_NODES = "put_nodes"
    PUT_EDGES = "put_edges"
    PUT_VECTORS = "put_vectors"
    REMOVE_VECTORS = "remove_vectors"
    REMOVE_EDGES = "remove_edges"
    REMOVE_NODES = "remove_nodes"
    REMOVE_ROWS = "remove_rows"
    PUT_STATUS = "put_status"
    REMOVE_STATUS = "remove_status"


@dataclass(frozen=True)
class Operation:
    """Some rows that one storage takes, or loses, in one go; repeating it changes nothing."""

    kind: Kind
    storage: str
    """The name under which LightRAG holds the storage."""
    rows: list[Any]
    """`[id, row]`, `[one, two, row]` for relations, or ids to remove."""
    vectors: tuple[bytes, ...] = ()
    """One for each row of PUT_VECTORS: little-endian float32."""


def operations_of(changes: Changes, *, written_at_s: int) -> Iterator[Operation]:
    """Order changes: texts, entities, relations, vectors, removals, and the status at last.

    Whoever reads while they are applied finds less than there is, never what leads nowhere.

    Args:
        changes: what a group leaves behind.
        written_at_s: the time that new rows bear, in Unix seconds.
    """
    for name, rows in changes.rows.items():
        stamped = [[key, _stamped(row, written_at_s)] for key, row in rows.puts.items()]
        yield from cut(Kind.PUT_ROWS, name, stamped)
    graph = changes.graph
    yield from cut(Kind.PUT_NODES, GRAPH_STORAGE, map(list, graph.nodes.items()))
    edges = ([one, two, row] for (one, two), row in graph.edges.items())
    yield from cut(Kind.PUT_EDGES, GRAPH_STORAGE, edges)
    for name, vectors in changes.vectors.items():
        yield from _put_vectors(name, vectors)
    for name, vectors in changes.vectors.items():
        yield from cut(Kind.REMOVE_VECTORS, name, vectors.removals)
    yield from cut(Kind.REMOVE_EDGES, GRAPH_STORAGE, map(list, graph.removed_edges))
    yield from cut(Kind.REMOVE_NODES, GRAPH_STORAGE, graph.removed_nodes)
    for name, rows in changes.rows.items():
        yield from cut(Kind.REMOVE_ROWS, name, rows.removals)
    status = changes.status
    yield from cut(Kind.PUT_STATUS, STATUS_STORAGE, map(list, status.puts.items()))
    yield from cut(Kind.REMOVE_STATUS, STATUS_STORAGE, status.removals)


def halves(operation: Operation) -> tuple[Operation, Operation]:
    """Cut an operation of several rows in two, to find the row that a store does not take."""
    middle = len(operation.rows) // 2
    return _part(operation, slice(middle)), _part(operation, slice(middle, None))


def pieces(operation: Operation, rows: int) -> Iterator[Operation]:
    """Cut an operation into some of so many rows at most."""
    for start in range(0, len(operation.rows), rows):
        yield _part(operation, slice(start, start + rows))


def _part(operation: Operation, rows: slice) -> Operation:
    return Operation(
        operation.kind, operation.storage, operation.rows[rows], operation.vectors[rows]
    )


def _put_vectors(name: str, changes: VectorChanges) -> Iterator[Operation]:
    for operation in cut(Kind.PUT_VECTORS, name, map(list, changes.puts.items())):
        vectors = tuple(changes.vectors[key] for key, _ in operation.rows)
        yield Operation(operation.kind, name, operation.rows, vectors)


def cut(kind: Kind, storage: str, rows: Iterable[Any]) -> Iterator[Operation]:
    """Make operations of rows, each small enough for one transaction or script of a store."""
    batch: list[Any] = []
    size = 0
    for row in rows:
        row_size = _size(row)
        if batch and (len(batch) == _ROWS or size + row_size > _BYTES):
            yield Operation(kind, storage, batch)
            batch, size = [], 0
        batch.append(row)
        size += row_size
    if batch:
        yield Operation(kind, storage, batch)


def _size(row: Any) -> int:  # noqa: ANN401 - JSON
    """Estimate a row's size from the texts in it, which are nearly all of it."""
    fields = row[-1].values() if isinstance(row, list) and isinstance(row[-1], dict) else [row]
    texts = sum(len(field) for field in fields if isinstance(field, str))
    # Lists hold names and chunk ids.
    return texts + sum(_ITEM_BYTES * len(field) for field in fields if isinstance(field, list))


def _stamped(row: dict[str, Any], written_at_s: int) -> dict[str, Any]:
    """Give a row the times that LightRAG's key-value storages give it."""
    return {"create_time": written_at_s, **row, "update_time": written_at_s}
