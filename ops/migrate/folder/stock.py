"""Some items of a folder, opened with LightRAG's own storage classes."""

import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from lightrag.kg.json_doc_status_impl import JsonDocStatusStorage
from lightrag.kg.json_kv_impl import JsonKVStorage
from lightrag.kg.nano_vector_db_impl import NanoVectorDBStorage
from lightrag.kg.networkx_impl import NetworkXStorage
from lightrag.kg.shared_storage import initialize_share_data
from lightrag.utils import EmbeddingFunc

from ops.migrate.comparing import Comparison
from ops.migrate.errors import MigrationDiffersError
from ops.migrate.folder.writing import FolderWriter
from ops.migrate.tally import section_of
from worker.commit.operations import Operation
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

if TYPE_CHECKING:
    from lightrag import LightRAG

# LightRAG's classes hold a whole file, twice while they read it: the whole folder may not fit.
_ITEMS = 200
_FLOAT_BYTES = 4


class StockSample:
    """The first items of every kind: do LightRAG's classes find what the files are meant to say?

    They get a folder of the sample alone, made by the same writer as the whole one.
    """

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def add(self, operation: Operation) -> None:
        """Keep the first rows of the first operation of each kind."""
        section = section_of(operation)
        if section not in self._operations:
            rows, vectors = operation.rows[:_ITEMS], operation.vectors[:_ITEMS]
            self._operations[section] = replace(operation, rows=rows, vectors=vectors)

    async def compare(self) -> None:
        """Open the sample with LightRAG and compare every item of it.

        Raises:
            MigrationDiffersError: LightRAG finds something else.
        """
        with tempfile.TemporaryDirectory(prefix="ragfleet-") as root:
            # LightRAG keeps what it read by this name for the life of a process.
            workspace = f"sample_{secrets.token_hex(4)}"
            folder = Path(root) / workspace
            folder.mkdir()
            writer = FolderWriter(folder)
            for operation in self._operations.values():
                writer.write(operation)
            writer.finish()
            async with _opened(Path(root), workspace, self._dimension()) as storages:
                comparison = Comparison(cast("LightRAG", storages))
                for operation in self._operations.values():
                    await comparison.compare(operation)
        if comparison.different:
            sentence = f"LightRAG reads other things than were written: {comparison.examples}"
            raise MigrationDiffersError(sentence)

    def _dimension(self) -> int:
        vectors = (
            vector for operation in self._operations.values() for vector in operation.vectors
        )
        return len(next(vectors, b"")) // _FLOAT_BYTES or 1


@asynccontextmanager
async def _opened(root: Path, workspace: str, dimension: int) -> AsyncIterator[SimpleNamespace]:
    initialize_share_data()
    config = {
        "working_dir": str(root),
        "embedding_batch_num": 1,
        "vector_db_storage_cls_kwargs": {"cosine_better_than_threshold": 0.0},
    }
    embedding = EmbeddingFunc(embedding_dim=dimension, func=_no_model, max_token_size=1)

    def made(kind: Any, namespace: str, **more: Any) -> Any:  # noqa: ANN401 - LightRAG's classes
        return kind(
            namespace=namespace,
            workspace=workspace,
            global_config=config,
            embedding_func=embedding,
            **more,
        )

    storages = {name: made(JsonKVStorage, name) for name in ROW_STORAGES}
    storages[STATUS_STORAGE] = made(JsonDocStatusStorage, STATUS_STORAGE)
    storages[GRAPH_STORAGE] = made(NetworkXStorage, "chunk_entity_relation")
    for name in VECTOR_STORAGES:
        fields = {"content", "full_doc_id", "file_path"}  # only used when it writes
        storages[name] = made(NanoVectorDBStorage, name.removesuffix("_vdb"), meta_fields=fields)
    for storage in storages.values():
        await storage.initialize()
    yield SimpleNamespace(**storages)


async def _no_model(_texts: list[str], **_options: object) -> Any:  # noqa: ANN401 - never called
    raise NotImplementedError
