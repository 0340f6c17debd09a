"""A folder that LightRAG wrote is read without LightRAG, and holds what LightRAG finds in it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightrag import LightRAG

from ops.migrate.folder.source import FolderSource
from shared.ids import PhysicalWorkspace
from shared.rag.pool import RagPool
from tests.contract.lightrag.committing import APOLLO, EINSTEIN, graph, put, without_times
from worker.commit.operations import Kind
from worker.commit.unit_of_work.unit import GRAPH_STORAGE, ROW_STORAGES, STATUS_STORAGE

# Files keep them with the texts, PostgreSQL with the vectors as well.
PLACE_FIELDS = {"tokens", "chunk_order_index"}


@pytest.fixture
async def rag(rags: RagPool, workspace: PhysicalWorkspace) -> LightRAG:
    async with rags.use(workspace) as rag:
        await put(rag, "apollo", APOLLO)
        await put(rag, "einstein", EINSTEIN)
    return rag


@pytest.fixture
def source(rag: LightRAG) -> FolderSource:
    return FolderSource.in_folder(Path(rag.working_dir), rag.workspace)


async def rows(source: FolderSource, kind: Kind, storage: str) -> list[Any]:
    return [
        row
        async for operation in source.operations()
        if (operation.kind, operation.storage) == (kind, storage)
        for row in operation.rows
    ]


@pytest.mark.parametrize("storage", [*ROW_STORAGES, STATUS_STORAGE])
async def test_rows_are_those_that_lightrag_finds(
    rag: LightRAG, source: FolderSource, storage: str
) -> None:
    kind = Kind.PUT_STATUS if storage == STATUS_STORAGE else Kind.PUT_ROWS
    found = dict(await rows(source, kind, storage))

    assert found
    for key, row in found.items():
        theirs = await getattr(rag, storage).get_by_id(key)
        assert without_times(row) | {"_id": key} == without_times(theirs) | {"_id": key}


async def test_the_graph_is_the_one_that_lightrag_finds(
    rag: LightRAG, source: FolderSource
) -> None:
    theirs = await graph(rag)
    nodes = dict(await rows(source, Kind.PUT_NODES, GRAPH_STORAGE))
    edges = {
        tuple(sorted((one, two))): row
        for one, two, row in await rows(source, Kind.PUT_EDGES, GRAPH_STORAGE)
    }

    assert without_times(nodes) == {
        name: {key: value for key, value in node.items() if key != "id"}
        for name, node in theirs["nodes"].items()
    }
    assert without_times(edges) == {
        pair: {key: value for key, value in edge.items() if key not in {"source", "target"}}
        for pair, edge in theirs["edges"].items()
    }


@pytest.mark.parametrize("storage", ["entities_vdb", "relationships_vdb", "chunks_vdb"])
async def test_vectors_are_those_that_lightrag_finds(
    rag: LightRAG, source: FolderSource, storage: str
) -> None:
    found = {
        key: (row, np.frombuffer(vector, dtype="<f4"))
        async for operation in source.operations()
        if operation.storage == storage
        for (key, row), vector in zip(operation.rows, operation.vectors, strict=True)
    }
    theirs = await getattr(rag, storage).get_vectors_by_ids(list(found))

    assert found
    for key, (row, vector) in found.items():
        kept = await getattr(rag, storage).get_by_id(key)
        known = {name: value for name, value in row.items() if name not in PLACE_FIELDS}
        assert known == {name: value for name, value in kept.items() if name in row}
        assert {"content", "file_path"} <= row.keys()
        assert (row.keys() >= PLACE_FIELDS) == (storage == "chunks_vdb")
        # LightRAG gives its half-precision copy.
        assert np.dot(vector, theirs[key]) == pytest.approx(1, abs=1e-3)


async def test_the_length_of_the_vectors_is_known(source: FolderSource) -> None:
    assert source.dimension() == 384
