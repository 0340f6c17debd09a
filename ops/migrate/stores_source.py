"""A workspace in the stores of an installation, read through LightRAG's own classes.

Only which ids there are is asked for past them: they have no word for that.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from lightrag import LightRAG

from ops.migrate.comparing import as_written, vector_rows
from ops.migrate.errors import SourceUnreadableError
from ops.migrate.sections import ENTITIES, RELATIONS, SECTIONS, Key
from worker.commit.apply.postgres import table_of
from worker.commit.operations import Kind, Operation, cut
from worker.commit.unit_of_work.unit import GRAPH_STORAGE

Row = dict[str, Any]

PAGE = 500
_GRAPH = {ENTITIES, RELATIONS}
# Names that stores give to a row's id and place, and PostgreSQL to a cached `return` once more.
_STORES_OWN = frozenset({"id", "_id", "workspace", "return_value"})
_VECTOR_FIELDS = {
    "entities_vdb": ("entity_name", "content", "source_id", "file_path"),
    "relationships_vdb": ("src_id", "tgt_id", "content", "source_id", "file_path"),
    "chunks_vdb": ("full_doc_id", "content", "file_path", "tokens", "chunk_order_index"),
}


@dataclass
class Found:
    """What the stores answered when they were asked for some items."""

    operations: list[Operation] = field(default_factory=list)
    """Those that put what was found."""
    missing: list[Key] = field(default_factory=list)
    half: list[Key] = field(default_factory=list)
    """There is a row, but its vector cannot be read."""


Missed = Callable[[str, Sequence[Key]], None]
"""Is told of a section, and of items of it that were listed and then not found."""


def refuse(section: str, keys: Sequence[Key]) -> None:
    """Refuse a copy that lacks something, when a store names items that it does not give."""
    sentence = f"The stores name {len(keys)} items of {section} that cannot be read."
    raise SourceUnreadableError(sentence)


@dataclass(frozen=True)
class StoresSource:
    """See `Source`; where somebody writes meanwhile, `missed` hears of what went."""

    rag: LightRAG
    missed: Missed = refuse

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
        for section in SECTIONS:
            pages = self._pages_of_graph(section) if section in _GRAPH else self.ids(section)
            async for keys in pages:
                found = await self.read(section, keys)
                if lacking := found.missing + found.half:
                    self.missed(section, lacking)
                for operation in found.operations:
                    yield operation

    async def read(self, section: str, keys: Sequence[Key]) -> Found:
        """Ask for some items of a section.

        Raises:
            StoreUnavailableError: LightRAG's class swallowed an error, and answered nothing.
        """
        kind, storage = SECTIONS[section]
        match kind:
            case Kind.PUT_NODES:
                return await self._entities([key for (key,) in keys])
            case Kind.PUT_EDGES:
                return await self._relations(keys)
            case Kind.PUT_VECTORS:
                return await self._vectors(storage, [key for (key,) in keys])
            case _:
                return await self._rows(kind, storage, [key for (key,) in keys])

    async def ids(self, section: str) -> AsyncIterator[list[Key]]:
        """Give the ids of all rows of a section that is not of the graph, a page at a time."""
        _, name = SECTIONS[section]
        async for page in _ids(name, getattr(self.rag, name)):
            yield [(key,) for key in page]

    async def _pages_of_graph(self, section: str) -> AsyncIterator[list[Key]]:
        for page in _pages(sorted(await self.rag.chunk_entity_relation_graph.get_all_labels())):
            if section == ENTITIES:
                yield [(name,) for name in page]
            elif pairs := await self._pairs(page):
                yield pairs

    async def _pairs(self, names: list[str]) -> list[Key]:
        """Name the relations that begin, in the order of names, at one of these."""
        ends = await self.rag.chunk_entity_relation_graph.get_nodes_edges_batch(names)
        pairs = {
            (one, two)
            for name, pairs in ends.items()
            for one, two in map(sorted, pairs)
            if name == one
        }
        return sorted(pairs)

    async def _rows(self, kind: Kind, name: str, ids: list[str]) -> Found:
        # The document status answers nothing at all when it has none of them.
        rows = await getattr(self.rag, name).get_by_ids(ids) or [None] * len(ids)
        found = {key: _said(row) for key, row in zip(ids, rows, strict=True) if row}
        return Found([*cut(kind, name, map(list, found.items()))], _without(ids, found))

    async def _vectors(self, name: str, ids: list[str]) -> Found:
        storage = getattr(self.rag, name)
        rows = zip(ids, await vector_rows(storage, ids), strict=True)
        there = {key: _chosen(name, row) for key, row in rows if row}
        vectors = await storage.get_vectors_by_ids(ids)
        whole = [[key, row] for key, row in there.items() if key in vectors]
        operations = []
        for operation in cut(Kind.PUT_VECTORS, name, whole):
            numbers = (np.asarray(vectors[key], dtype="<f4") for key, _ in operation.rows)
            blocks = tuple(vector.tobytes() for vector in numbers)
            operations.append(Operation(operation.kind, name, operation.rows, blocks))
        return Found(operations, _without(ids, there), _without(there, vectors))

    async def _entities(self, names: list[str]) -> Found:
        nodes = await self.rag.chunk_entity_relation_graph.get_nodes_batch(names)
        found = {name: _said(nodes[name]) for name in names if nodes.get(name)}
        rows = map(list, found.items())
        return Found([*cut(Kind.PUT_NODES, GRAPH_STORAGE, rows)], _without(names, found))

    async def _relations(self, pairs: Sequence[Key]) -> Found:
        graph = self.rag.chunk_entity_relation_graph
        edges = await graph.get_edges_batch([{"src": one, "tgt": two} for one, two in pairs])
        rows = ([*pair, _said(edges[pair])] for pair in pairs if pair in edges)
        missing = [pair for pair in pairs if pair not in edges]
        return Found([*cut(Kind.PUT_EDGES, GRAPH_STORAGE, rows)], missing)


def _without(keys: Iterable[str], found: Mapping[str, Any]) -> list[Key]:
    return [(key,) for key in keys if key not in found]


async def _ids(name: str, storage: Any) -> AsyncIterator[list[str]]:  # noqa: ANN401 - one of LightRAG's
    """Give the ids of a storage's rows, a page at a time."""
    if type(storage).__name__ == "RedisKVStorage":
        async for page in _ids_in_redis(storage):
            yield page
        return
    # A name of LightRAG's, and a page that begins where the last one ended.
    statement = (
        f"SELECT id FROM {table_of(name, storage)} "  # noqa: S608
        f"WHERE workspace = $1 AND id > $2 ORDER BY id LIMIT {PAGE}"
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
    for start in range(0, len(items), PAGE):
        yield list(items[start : start + PAGE])


def _said(row: Row) -> Row:
    """Leave out what the store adds, and what it has no value for."""
    return {
        name: value for name, value in row.items() if name not in _STORES_OWN and value is not None
    }


def _chosen(storage: str, row: Mapping[str, Any]) -> Row:
    written = as_written(row)
    return {name: written[name] for name in _VECTOR_FIELDS[storage] if name in written}
