"""A workspace in the stores of an installation, read through LightRAG's own classes.

Only which ids there are is asked for past them: they have no word for that.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lightrag import LightRAG

from ops.migrate.comparing import as_written, vector_rows
from ops.migrate.errors import SourceUnreadableError
from worker.commit.apply.postgres import table_of
from worker.commit.operations import Kind, Operation, cut
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

Row = dict[str, Any]

_PAGE = 500
# Names that stores give to a row's id and place, and PostgreSQL to a cached `return` once more.
_STORES_OWN = frozenset({"id", "_id", "workspace", "return_value"})
_VECTOR_FIELDS = {
    "entities_vdb": ("entity_name", "content", "source_id", "file_path"),
    "relationships_vdb": ("src_id", "tgt_id", "content", "source_id", "file_path"),
    "chunks_vdb": ("full_doc_id", "content", "file_path", "tokens", "chunk_order_index"),
}


@dataclass(frozen=True)
class StoresSource:
    """See `Source`; nobody may write into the workspace while it is read."""

    rag: LightRAG

    @property
    def embedding_model(self) -> str:
        """What its vectors were made with."""
        return str(self.rag.embedding_func.model_name)

    def dimension(self) -> int:
        """Return the length of its vectors."""
        return int(self.rag.embedding_func.embedding_dim)

    def fingerprint(self) -> str:
        """Return the same always: the commit lease keeps it from changing."""
        return ""

    async def operations(self) -> AsyncIterator[Operation]:
        """Give everything, in an order in which readers of the target are harmed least."""
        for name in ROW_STORAGES:
            async for operation in self._rows(Kind.PUT_ROWS, name):
                yield operation
        names = sorted(await self.rag.chunk_entity_relation_graph.get_all_labels())
        for page in _pages(names):
            for operation in await self._entities(page):
                yield operation
        for page in _pages(names):
            for operation in await self._relations(page):
                yield operation
        for name in VECTOR_STORAGES:
            async for operation in self._vectors(name):
                yield operation
        async for operation in self._rows(Kind.PUT_STATUS, STATUS_STORAGE):
            yield operation

    async def _rows(self, kind: Kind, name: str) -> AsyncIterator[Operation]:
        storage = getattr(self.rag, name)
        async for ids in _ids(name, storage):
            rows = await storage.get_by_ids(ids) or []
            found = [[key, _said(row)] for key, row in zip(ids, rows, strict=False) if row]
            _require_all(name, asked=len(ids), found=len(found))
            for operation in cut(kind, name, found):
                yield operation

    async def _vectors(self, name: str) -> AsyncIterator[Operation]:
        storage = getattr(self.rag, name)
        async for ids in _ids(name, storage):
            rows = zip(ids, await vector_rows(storage, ids), strict=True)
            vectors = await storage.get_vectors_by_ids(ids)
            found = [[key, _chosen(name, row)] for key, row in rows if row and key in vectors]
            _require_all(name, asked=len(ids), found=len(found))
            for operation in cut(Kind.PUT_VECTORS, name, found):
                numbers = (np.asarray(vectors[key], dtype="<f4") for key, _ in operation.rows)
                blocks = tuple(vector.tobytes() for vector in numbers)
                yield Operation(operation.kind, name, operation.rows, blocks)

    async def _entities(self, names: list[str]) -> Iterator[Operation]:
        nodes = await self.rag.chunk_entity_relation_graph.get_nodes_batch(names)
        found = [[name, _said(nodes[name])] for name in names if name in nodes]
        _require_all("entities", asked=len(names), found=len(found))
        return cut(Kind.PUT_NODES, GRAPH_STORAGE, found)

    async def _relations(self, names: list[str]) -> Iterator[Operation]:
        """Read the relations that begin, in the order of names, at one of these."""
        graph = self.rag.chunk_entity_relation_graph
        pairs = {
            (one, two)
            for name, edges in (await graph.get_nodes_edges_batch(names)).items()
            for one, two in edges
            if name == min(one, two)
        }
        asked = [{"src": one, "tgt": two} for one, two in sorted(pairs)]
        edges = await graph.get_edges_batch(asked) if asked else {}
        found = [[one, two, _said(row)] for (one, two), row in edges.items()]
        _require_all("relations", asked=len(asked), found=len(found))
        return cut(Kind.PUT_EDGES, GRAPH_STORAGE, found)


def _require_all(what: str, *, asked: int, found: int) -> None:
    """Refuse a copy that lacks something, when a store names items that it does not give."""
    if found < asked:
        sentence = f"The stores name {asked - found} items of {what} that cannot be read."
        raise SourceUnreadableError(sentence)


async def _ids(name: str, storage: Any) -> AsyncIterator[list[str]]:  # noqa: ANN401 - one of LightRAG's
    """Give the ids of a storage's rows, a page at a time."""
    if type(storage).__name__ == "RedisKVStorage":
        async for page in _ids_in_redis(storage):
            yield page
        return
    # A name of LightRAG's, and a page that begins where the last one ended.
    statement = (
        f"SELECT id FROM {table_of(name, storage)} "  # noqa: S608
        f"WHERE workspace = $1 AND id > $2 ORDER BY id LIMIT {_PAGE}"
    )
    last = ""
    while rows := await storage.db.query(statement, [storage.workspace, last], multirows=True):
        page = [row["id"] for row in rows]
        yield page
        last = page[-1]


async def _ids_in_redis(storage: Any) -> AsyncIterator[list[str]]:  # noqa: ANN401 - RedisKVStorage
    prefix = f"{storage.final_namespace}:"
    # A scan may give a key twice.
    keys = {_text(key) async for key in storage._redis.scan_iter(f"{prefix}*", count=1000)}  # noqa: SLF001 - pinned internals
    for page in _pages(sorted(keys)):
        yield [key.removeprefix(prefix) for key in page]


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key


def _pages(items: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(items), _PAGE):
        yield list(items[start : start + _PAGE])


def _said(row: Row) -> Row:
    """Leave out what the store adds, and what it has no value for."""
    return {
        name: value for name, value in row.items() if name not in _STORES_OWN and value is not None
    }


def _chosen(storage: str, row: Mapping[str, Any]) -> Row:
    written = as_written(row)
    return {name: written[name] for name in _VECTOR_FIELDS[storage] if name in written}
