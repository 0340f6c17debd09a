"""The kinds of items that a workspace has, in the order in which they are copied."""

from collections.abc import Mapping
from types import MappingProxyType

from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

# As `tally.section_of` names them; the others have the names of their storages.
ENTITIES, RELATIONS = "entities", "relations"
Key = tuple[str, ...]
"""An item's id or name; a relation's two ends, in the order of their names."""

SECTIONS: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {name: (Kind.PUT_ROWS, name) for name in ROW_STORAGES}
    | {ENTITIES: (Kind.PUT_NODES, GRAPH_STORAGE), RELATIONS: (Kind.PUT_EDGES, GRAPH_STORAGE)}
    | {name: (Kind.PUT_VECTORS, name) for name in VECTOR_STORAGES}
    | {STATUS_STORAGE: (Kind.PUT_STATUS, STATUS_STORAGE)}
)
"""How the items of a section are put, and into which storage."""

_REMOVALS = {Kind.REMOVE_ROWS, Kind.REMOVE_NODES, Kind.REMOVE_VECTORS, Kind.REMOVE_STATUS}


def keys_of(operation: Operation) -> list[Key]:
    """Name the items that an operation puts or removes."""
    if operation.kind in _REMOVALS:
        return [(key,) for key in operation.rows]
    if operation.kind is Kind.REMOVE_EDGES:
        return [_pair(*ends) for ends in operation.rows]
    if operation.kind is Kind.PUT_EDGES:
        return [_pair(one, two) for one, two, _ in operation.rows]
    return [(key,) for key, _ in operation.rows]


def _pair(one: str, two: str) -> Key:
    return (one, two) if one <= two else (two, one)
