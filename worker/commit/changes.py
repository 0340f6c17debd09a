"""What a unit of work leaves behind: after-images of rows, vectors, entities and relations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True)
class RowChanges:
    """What changes in one key-value storage, or in the document status."""

    puts: Mapping[str, Row]
    removals: list[str]


@dataclass(frozen=True)
class VectorChanges:
    """What changes in one vector storage; every row has a vector."""

    puts: Mapping[str, Row]
    vectors: Mapping[str, bytes]
    """By id: little-endian float32."""
    removals: list[str]


@dataclass(frozen=True)
class GraphChanges:
    """What changes in the graph."""

    nodes: Mapping[str, Row]
    edges: Mapping[Pair, Row]
    removed_nodes: list[str]
    removed_edges: list[Pair]


@dataclass(frozen=True)
class Changes:
    """All changes of one group, by the name under which LightRAG holds each storage."""

    rows: Mapping[str, RowChanges]
    vectors: Mapping[str, VectorChanges]
    graph: GraphChanges
    status: RowChanges
