"""One workspace of a `rag_storage` folder as operations that any store can carry out."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.migrate.errors import SourceNotFoundError
from ops.migrate.fingerprint import fingerprint_of
from ops.migrate.folder.graph import entities_of, relations_of
from ops.migrate.folder.json_rows import Row, rows_of
from ops.migrate.folder.vectors import open_vectors
from worker.commit.operations import Kind, Operation, cut
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

Rows = Iterator[tuple[str, Row]]

_CHUNKS = "text_chunks"
_PLACE_FIELDS = ("tokens", "chunk_order_index")
_GRAPH_FILE = "graph_chunk_entity_relation.graphml"
_VECTOR_FILES = {name: f"vdb_{name.removesuffix('_vdb')}.json" for name in VECTOR_STORAGES}


@dataclass(frozen=True)
class FolderSource:
    """The files of one workspace."""

    folder: Path
    embedding_model: str = ""
    """LightRAG's files do not say."""

    @classmethod
    def in_folder(cls, root: Path, workspace: str) -> "FolderSource":
        """Find a workspace in LightRAG's working folder; the one without a name is the root itself.

        Raises:
            SourceNotFoundError: LightRAG left nothing there.
        """
        folder = root / workspace
        if not any(folder.glob("kv_store_*.json")):
            raise SourceNotFoundError(f"There are no files of LightRAG in {folder}.")
        return cls(folder)

    def fingerprint(self) -> str:
        """Return a digest of the files' names, sizes and times."""
        return fingerprint_of(path for path in self.folder.iterdir() if path.is_file())

    def dimension(self) -> int | None:
        """Return the length of the vectors; None: there are none.

        Raises:
            SourceUnreadableError: a file is damaged.
        """
        for file in _VECTOR_FILES.values():
            with open_vectors(self.folder / file) as found:
                if found is not None:
                    return found.dimension
        return None

    async def operations(self) -> AsyncIterator[Operation]:
        """Give everything, in an order in which readers of the target are harmed least.

        Raises:
            SourceUnreadableError: a file is damaged.
        """
        for operation in self._operations():
            yield operation
            # Reading waits for nothing, and a lease has to be renewed meanwhile.
            await asyncio.sleep(0)

    def _operations(self) -> Iterator[Operation]:
        places: dict[str, Row] = {}
        for name in ROW_STORAGES:
            rows = self._rows(name) if name != _CHUNKS else self._noting(self._rows(name), places)
            yield from cut(Kind.PUT_ROWS, name, map(list, rows))
        graph = self.folder / _GRAPH_FILE
        yield from cut(Kind.PUT_NODES, GRAPH_STORAGE, map(list, entities_of(graph)))
        yield from cut(Kind.PUT_EDGES, GRAPH_STORAGE, map(list, relations_of(graph)))
        for name in VECTOR_STORAGES:
            yield from self._vectors(name, places)
        yield from cut(Kind.PUT_STATUS, STATUS_STORAGE, map(list, self._rows(STATUS_STORAGE)))

    def _rows(self, name: str) -> Rows:
        return rows_of(self.folder / f"kv_store_{name}.json")

    @staticmethod
    def _noting(rows: Rows, places: dict[str, Row]) -> Rows:
        """Note what PostgreSQL keeps beside a chunk's vector, and files beside its text alone."""
        for key, row in rows:
            places[key] = {name: row.get(name, 0) for name in _PLACE_FIELDS}
            yield key, row

    def _vectors(self, name: str, places: Mapping[str, Row]) -> Iterator[Operation]:
        with open_vectors(self.folder / _VECTOR_FILES[name]) as found:
            if found is None:
                return
            waiting: deque[bytes] = deque()

            def rows() -> Iterator[list[Any]]:
                for key, row, vector in found.rows():
                    waiting.append(vector)
                    yield [key, {**row, **places.get(key, {})}]

            for operation in cut(Kind.PUT_VECTORS, name, rows()):
                vectors = tuple(waiting.popleft() for _ in operation.rows)
                yield replace(operation, vectors=vectors)
