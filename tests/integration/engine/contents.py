"""Everything that a workspace holds, read through LightRAG's own classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lightrag import LightRAG
from lightrag.utils import compute_mdhash_id, make_relation_chunk_key

Row = dict[str, Any]
Pair = tuple[str, str]
_SEPARATOR = "<SEP>"
# Times of writing, and what names the task or the copy rather than what it says.
_VOLATILE = {
    "created_at", "updated_at", "create_time", "update_time", "_id", "id", "track_id",
    "llm_cache_list", "timestamp", "metadata",
}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    """All rows by id, without their times."""

    nodes: dict[str, Row]
    edges: dict[Pair, Row]
    entity_chunks: dict[str, Row]
    relation_chunks: dict[str, Row]
    entity_vectors: dict[str, Row]
    relation_vectors: dict[str, Row]
    chunk_vectors: dict[str, Row]
    documents: dict[str, Row]
    """Text, status, anchors and chunks of each document."""

    def as_sets(self) -> "Sets":
        """Keep only what does not depend on the order in which documents were merged."""
        return Sets(
            entities={name: _sources(node) for name, node in self.nodes.items()},
            relations={
                pair: (*_sources(edge), float(edge["weight"])) for pair, edge in self.edges.items()
            },
            entity_chunks=_tracked(self.entity_chunks),
            relation_chunks=_tracked(self.relation_chunks),
            entity_vectors=set(self.entity_vectors),
            relation_vectors=set(self.relation_vectors),
            chunk_vectors=self.chunk_vectors,
            documents=self.documents,
        )


@dataclass(frozen=True)
class Sets:
    """What two graphs of the same documents have in common, however they were merged."""

    entities: dict[str, tuple[frozenset[str], frozenset[str]]]
    relations: dict[Pair, tuple[frozenset[str], frozenset[str], float]]
    entity_chunks: dict[str, frozenset[str]]
    relation_chunks: dict[str, frozenset[str]]
    entity_vectors: set[str]
    relation_vectors: set[str]
    chunk_vectors: dict[str, Row]
    documents: dict[str, Row]


async def read_contents(rag: LightRAG, doc_ids: Iterable[str]) -> Contents:
    """Read a workspace that holds these documents, and nothing else."""
    graph = rag.chunk_entity_relation_graph
    nodes = {node["entity_id"]: _steady(node) for node in await graph.get_all_nodes()}
    edges = {
        _sorted(edge["source"], edge["target"]): _steady(edge)
        for edge in await graph.get_all_edges()
    }
    for edge in edges.values():
        edge.pop("source")
        edge.pop("target")
    pairs = sorted(edges)
    names = sorted(nodes)
    documents = {doc_id: await _document(rag, doc_id) for doc_id in sorted(doc_ids)}
    chunk_ids = [chunk for document in documents.values() for chunk in document["chunks"]]
    relation_keys = [make_relation_chunk_key(*pair) for pair in pairs]
    return Contents(
        nodes=nodes,
        edges=edges,
        entity_chunks=await _rows(rag.entity_chunks, names),
        relation_chunks=await _rows(rag.relation_chunks, relation_keys),
        entity_vectors=await _vectors(
            rag.entities_vdb, [compute_mdhash_id(name, prefix="ent-") for name in names]
        ),
        relation_vectors=await _vectors(
            rag.relationships_vdb,
            [compute_mdhash_id(one + two, prefix="rel-") for one, two in pairs],
        ),
        chunk_vectors=await _vectors(rag.chunks_vdb, chunk_ids),
        documents=documents,
    )


async def _document(rag: LightRAG, doc_id: str) -> Row:
    status = await rag.doc_status.get_by_id(doc_id)
    full = await rag.full_docs.get_by_id(doc_id)
    entities = await rag.full_entities.get_by_id(doc_id)
    relations = await rag.full_relations.get_by_id(doc_id)
    assert status is not None, doc_id
    assert full is not None, doc_id
    assert entities is not None, doc_id
    assert relations is not None, doc_id
    wanted = ("content", "file_path", "parse_format", "content_hash")
    return {
        "status": _steady(status),
        "write_state": status["metadata"]["kg_write_state"],
        "full": {name: full[name] for name in wanted},
        "entities": sorted(entities["entity_names"]),
        "relations": sorted(map(tuple, relations["relation_pairs"])),
        "chunks": await _rows(rag.text_chunks, status["chunks_list"]),
    }


async def _rows(storage: Any, keys: list[str]) -> dict[str, Row]:
    rows = await storage.get_by_ids(keys) if keys else []
    return {key: _steady(row) for key, row in zip(keys, rows, strict=True) if row}


async def _vectors(storage: Any, keys: list[str]) -> dict[str, Row]:
    """The rows and their vectors."""
    rows = await _rows(storage, keys)
    vectors = await storage.get_vectors_by_ids(keys)
    comparable = ("content", "entity_name", "src_id", "tgt_id", "file_path")
    return {
        key: {
            **{name: row[name] for name in comparable if name in row},
            "vector": tuple(round(float(number), 4) for number in vectors[key]),
        }
        for key, row in rows.items()
    }


def _steady(row: Mapping[str, Any]) -> Row:
    return {name: value for name, value in row.items() if name not in _VOLATILE}


def _sources(row: Row) -> tuple[frozenset[str], frozenset[str]]:
    return _parts(row["source_id"]), _parts(row["file_path"])


def _tracked(rows: dict[str, Row]) -> dict[str, frozenset[str]]:
    return {key: frozenset(row["chunk_ids"]) for key, row in rows.items()}


def _parts(joined: str) -> frozenset[str]:
    return frozenset(joined.split(_SEPARATOR))


def _sorted(one: str, two: str) -> Pair:
    return (one, two) if one <= two else (two, one)
