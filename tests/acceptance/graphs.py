"""The graph as it lies in the stores: entities and relations, whatever storage holds them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import networkx as nx  # type: ignore[import-untyped]  # has no types, and is not ours

from tests.acceptance.system import System
from tests.services import run

_SEPARATOR = "<SEP>"  # LightRAG joins with it what several chunks say
# In the order of arrival, which is no promise across documents.
_JOINED = ("description", "source_id", "file_path")
Properties = dict[str, Any]


@dataclass(frozen=True)
class Graph:
    """Entities by name and relations by their two ends, in alphabetical order."""

    entities: dict[str, Properties]
    relations: dict[tuple[str, ...], Properties]


def read_graph(system: System, workspace: str = "default") -> Graph:
    """Read all that the graph of one workspace knows, without the times of writing."""
    if system.shape == "files":
        return _read_file(system.data_dir, workspace)
    return run(_read_tables(system.data_dir, workspace))


async def table_rows(data_dir: Path, query: str) -> list[Any]:
    """Ask the database of an embedded system."""
    password = json.loads((data_dir / "secrets.json").read_text())["postgres_password"]
    port = json.loads((data_dir / "run" / "ports.json").read_text())["postgres"]
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user="lightrag", password=password, database="lightrag"
    )
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def _read_tables(data_dir: Path, workspace: str) -> Graph:
    nodes = await table_rows(data_dir, "SELECT * FROM lightrag_graph_nodes")
    edges = await table_rows(data_dir, "SELECT * FROM lightrag_graph_edges")
    return Graph(
        entities={
            row["id"]: _comparable(json.loads(row["properties"]))
            for row in nodes
            if row["workspace"] == workspace
        },
        relations={
            _ends(row["src_id"], row["tgt_id"]): _comparable(json.loads(row["properties"]))
            for row in edges
            if row["workspace"] == workspace
        },
    )


def _read_file(data_dir: Path, workspace: str) -> Graph:
    graph = nx.read_graphml(data_dir / "rag" / workspace / "graph_chunk_entity_relation.graphml")
    return Graph(
        entities={name: _comparable(found) for name, found in graph.nodes(data=True)},
        relations={
            _ends(one, two): _comparable(found) for one, two, found in graph.edges(data=True)
        },
    )


def _ends(one: str, two: str) -> tuple[str, ...]:
    return tuple(sorted((one, two)))


def _comparable(properties: Mapping[str, Any]) -> Properties:
    kept = {name: value for name, value in properties.items() if name != "created_at"}
    for name in _JOINED:
        kept[name] = sorted(kept[name].split(_SEPARATOR))
    return kept
