"""Vectors made anew of what the graph and the texts say, as LightRAG makes them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lightrag import LightRAG
from lightrag.operate import _truncate_vdb_content
from lightrag.utils import compute_mdhash_id

from ops.doctor.contents.inventory import Item
from worker.commit.embed import as_bytes
from worker.commit.operations import Kind, Operation

Row = dict[str, Any]

_PAGE = 200
_CHUNK_FIELDS = ("full_doc_id", "content", "file_path", "tokens", "chunk_order_index")


@dataclass(frozen=True)
class Vectors:
    """Makes the vectors of one workspace; nobody else may write in it."""

    rag: LightRAG

    async def of_entities(self, items: Sequence[Item]) -> AsyncIterator[Operation]:
        """Embed entities by name."""
        for page in _pages(items):
            nodes = await self.rag.chunk_entity_relation_graph.get_nodes_batch(
                [name for (name,) in page]
            )
            rows = [
                [compute_mdhash_id(name, prefix="ent-"), self._entity(name, node)]
                for name, node in nodes.items()
            ]
            yield await self._embedded("entities_vdb", rows)

    async def of_relations(self, items: Sequence[Item]) -> AsyncIterator[Operation]:
        """Embed relations by the names of their ends, in the order of names."""
        for page in _pages(items):
            edges = await self.rag.chunk_entity_relation_graph.get_edges_batch(
                [{"src": one, "tgt": two} for one, two in page]
            )
            rows = [
                [compute_mdhash_id(one + two, prefix="rel-"), self._relation(one, two, edge)]
                for (one, two), edge in edges.items()
            ]
            yield await self._embedded("relationships_vdb", rows)

    async def of_chunks(self, items: Sequence[Item]) -> AsyncIterator[Operation]:
        """Embed chunks by id."""
        for page in _pages(items):
            ids = [key for (key,) in page]
            found = zip(ids, await self.rag.text_chunks.get_by_ids(ids), strict=True)
            rows = [[key, _chunk(row)] for key, row in found if row]
            yield await self._embedded("chunks_vdb", rows)

    async def _embedded(self, storage: str, rows: list[list[Any]]) -> Operation:
        texts = [row["content"] for _, row in rows]
        vectors: list[bytes] = []
        size = max(1, self.rag.embedding_batch_num)
        for start in range(0, len(texts), size):
            batch = texts[start : start + size]
            vectors += as_bytes(await self.rag.embedding_func(batch, context="document"))
        return Operation(Kind.PUT_VECTORS, storage, rows, tuple(vectors))

    def _entity(self, name: str, node: Row) -> Row:
        content = f"{name}\n{node.get('description') or ''}"
        return {
            "entity_name": name,
            "content": self._cut(content, f"entity:{name}"),
            **_origin(node),
        }

    def _relation(self, one: str, two: str, edge: Row) -> Row:
        said = f"{edge.get('keywords') or ''}\t{one}\n{two}\n{edge.get('description') or ''}"
        return {
            "src_id": one,
            "tgt_id": two,
            "content": self._cut(said, f"relation:{one}-{two}"),
            **_origin(edge),
        }

    def _cut(self, content: str, label: str) -> str:
        config = {
            "tokenizer": self.rag.tokenizer,
            "embedding_token_limit": self.rag.embedding_token_limit,
        }
        return str(_truncate_vdb_content(content, config, label))


def _origin(fields: Row) -> Row:
    return {name: fields.get(name) or "" for name in ("source_id", "file_path")}


def _chunk(row: Row) -> Row:
    missing: Row = {"file_path": "", "tokens": 0, "chunk_order_index": 0}
    return {name: row.get(name, missing.get(name)) for name in _CHUNK_FIELDS}


def _pages(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _PAGE):
        yield items[start : start + _PAGE]
