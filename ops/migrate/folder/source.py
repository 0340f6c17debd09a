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
from ops.migrate.folder.layout import GRAPH_FILE, ROW_FILES, VECTOR_FILES
from ops.migrate.folder.older import Rows, rows_in
from ops.migrate.folder.vectors import open_vectors
from ops.migrate.history.items import HistoryItem
from worker.commit.operations import Kind, Operation, cut
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

# What PostgreSQL keeps beside a chunk's vector, and files beside its text alone.
_NO_PLACE: Row = {"tokens": 0, "chunk_order_index": 0}
_NO_FILE = "unknown_source"  # LightRAG's word for it


@dataclass(frozen=True)
class FolderSource:
    """The files of one workspace."""

    folder: Path
    embedding_model: str = ""
    """LightRAG's files do not say."""
    as_written: bool = False
    """Whether what older versions left out is left out."""

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
        for file in VECTOR_FILES.values():
            with open_vectors(self.folder / file) as found:
                if found is not None:
                    return found.dimension
        return None

    async def operations(self) -> AsyncIterator[Operation]:
        """Give everything, in an order in which readers of the target are harmed least.

        Raises:
            SourceUnreadableError: a file is damaged.
        """
        operations = self._operations()
        # In a thread: reading waits for nothing, and a lease has to be renewed meanwhile.
        while (operation := await asyncio.to_thread(next, operations, None)) is not None:
            yield operation

    async def history(self) -> AsyncIterator[HistoryItem]:
        """Give nothing: LightRAG keeps no uploads and no tasks."""
        nothing: list[HistoryItem] = []
        for item in nothing:
            yield item

    def _operations(self) -> Iterator[Operation]:
        places: dict[str, Row] = {}
        for name in ROW_STORAGES:
            yield from cut(Kind.PUT_ROWS, name, map(list, self._rows(name, places)))
        graph = self.folder / GRAPH_FILE
        yield from cut(Kind.PUT_NODES, GRAPH_STORAGE, map(list, entities_of(graph)))
        yield from cut(Kind.PUT_EDGES, GRAPH_STORAGE, map(list, relations_of(graph)))
        for name in VECTOR_STORAGES:
            yield from self._vectors(name, places)
        statuses = self._rows(STATUS_STORAGE, places)
        yield from cut(Kind.PUT_STATUS, STATUS_STORAGE, map(list, statuses))

    def _rows(self, name: str, places: dict[str, Row]) -> Rows:
        if self.as_written:
            return rows_of(self.folder / ROW_FILES[name])
        rows = rows_in(self.folder, name)
        return _chunks(rows, places) if name == "text_chunks" else rows

    def _vectors(self, name: str, places: Mapping[str, Row]) -> Iterator[Operation]:
        with open_vectors(self.folder / VECTOR_FILES[name]) as found:
            if found is None:
                return
            waiting: deque[bytes] = deque()

            def rows() -> Iterator[list[Any]]:
                for key, row, vector in found.rows():
                    waiting.append(vector)
                    place = places.get(key, _NO_PLACE) if name == "chunks_vdb" else {}
                    yield [key, row if self.as_written else {"file_path": _NO_FILE, **row, **place}]

            for operation in cut(Kind.PUT_VECTORS, name, rows()):
                vectors = tuple(waiting.popleft() for _ in operation.rows)
                yield replace(operation, vectors=vectors)


def _chunks(rows: Rows, places: dict[str, Row]) -> Rows:
    """Give chunks as they are, and note what their vectors will have to say of them."""
    for key, row in rows:
        places[key] = {name: row.get(name, none) for name, none in _NO_PLACE.items()}
        yield key, {"file_path": _NO_FILE, **row}
