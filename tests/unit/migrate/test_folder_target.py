"""LightRAG's files are written whole or not at all, and say what was given."""

import asyncio
import fcntl
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from ops.migrate.errors import (
    ItemUnwritableError,
    MigrationDiffersError,
    SourceChangedError,
    SourceUnreadableError,
    TargetNotEmptyError,
)
from ops.migrate.folder import writing
from ops.migrate.folder.source import FolderSource
from ops.migrate.folder.target import FolderTarget
from ops.migrate.tally import Tally
from worker.commit.operations import Kind, Operation

GRAPH = "chunk_entity_relation_graph"
ODD = "Ulm & <Söhne> \"'\r\n\t𝔘 \u2028 ]]>"
VECTORS = np.random.default_rng(1).standard_normal((700, 4)).astype("<f4")
WORKSPACE = [
    # Servers that an older LightRAG filled give rows that lack some of what today's have.
    Operation(Kind.PUT_ROWS, "text_chunks", [["c", {"content": ODD}]]),
    Operation(Kind.PUT_ROWS, "full_docs", [["a", {"content": ODD, "weight": 0.1}], [ODD, {}]]),
    Operation(
        Kind.PUT_NODES,
        GRAPH,
        [
            ["Bern", {"entity_id": "Bern", "description": ""}],
            [ODD, {"entity_id": ODD, "kept": True}],
        ],
    ),
    Operation(Kind.PUT_EDGES, GRAPH, [["Bern", ODD, {"weight": 2.5, "created_at": 7, ODD: " x "}]]),
    Operation(
        Kind.PUT_VECTORS,
        "chunks_vdb",
        [[str(n), {"content": ODD, "tokens": 3}] for n in range(len(VECTORS))],
        tuple(vector.tobytes() for vector in VECTORS),
    ),
    Operation(Kind.PUT_STATUS, "doc_status", [["a", {"status": "processed"}]]),
]


class Nobody:
    def advance(self, operation: Operation) -> None:
        """Nobody looks."""


class Given:
    """A source that gives some operations, and may end with an error."""

    embedding_model = ""

    def __init__(self, *operations: Operation, error: Exception | None = None) -> None:
        self.given, self.error = operations, error
        self.changes = iter(("", ""))

    def dimension(self) -> int | None:
        return None

    def fingerprint(self) -> str:
        return next(self.changes)

    async def operations(self) -> AsyncIterator[Operation]:
        for operation in self.given:
            yield operation
        if self.error is not None:
            raise self.error


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def write(folder: Path, *operations: Operation) -> None:
    await FolderTarget(folder).write(Given(*operations), Nobody())


async def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    await write(tmp_path, *WORKSPACE)

    tally = Tally()
    for operation in WORKSPACE:
        tally.add(operation)
    assert await FolderTarget(tmp_path).check(Nobody()) == tally.sums()
    assert not [name for name in names_in(tmp_path) if name.startswith(".")]


async def test_networkx_reads_the_same_graph(tmp_path: Path) -> None:
    await write(tmp_path, *WORKSPACE)

    graph = nx.read_graphml(tmp_path / "graph_chunk_entity_relation.graphml")
    assert type(graph) is nx.Graph
    assert dict(graph.nodes(data=True)) == {
        "Bern": {"entity_id": "Bern", "description": ""},
        ODD: {"entity_id": ODD, "kept": True},
    }
    assert graph.edges["Bern", ODD] == {"weight": 2.5, "created_at": 7, ODD: " x "}


async def test_a_workspace_without_vectors_does_not_say_how_long_they_are(tmp_path: Path) -> None:
    await write(tmp_path, *WORKSPACE[:2])

    assert FolderSource.in_folder(tmp_path, "").dimension() is None
    assert not [name for name in names_in(tmp_path) if name.startswith("vdb_")]


def node(**row: Any) -> Operation:
    return Operation(Kind.PUT_NODES, GRAPH, [["Bern", row]])


@pytest.mark.parametrize(
    ("operation", "word"),
    [
        (node(description="a\x0bb"), r"U\+000B"),
        (node(description="\ud800"), r"U\+D800"),
        (node(names=["a"]), "names is a list"),
        (Operation(Kind.PUT_NODES, GRAPH, [["a\0", {}]]), r"U\+0000"),
        (Operation(Kind.PUT_ROWS, "full_docs", [["a", {"weight": float("nan")}]]), "full_docs a"),
        (Operation(Kind.PUT_ROWS, "full_docs", [["a", {"x": "\ud800"}]]), "UnicodeEncodeError"),
        (Operation(Kind.PUT_VECTORS, "chunks_vdb", [["a", {}]], (b"12345678",)), "2 numbers"),
    ],
)
async def test_what_no_file_can_hold_is_named_and_nothing_is_left(
    tmp_path: Path, operation: Operation, word: str
) -> None:
    with pytest.raises(ItemUnwritableError, match=word):
        await write(tmp_path / "new", *WORKSPACE, operation)
    assert names_in(tmp_path) == []


async def test_a_source_that_breaks_leaves_nothing_behind(tmp_path: Path) -> None:
    source = Given(*WORKSPACE, error=SourceUnreadableError())

    with pytest.raises(SourceUnreadableError):
        await FolderTarget(tmp_path / "new").write(source, Nobody())
    assert names_in(tmp_path) == []


async def test_a_source_that_changes_leaves_nothing_behind(tmp_path: Path) -> None:
    source = Given(*WORKSPACE)
    source.changes = iter(("before", "after"))

    with pytest.raises(SourceChangedError):
        await FolderTarget(tmp_path).write(source, Nobody())
    assert names_in(tmp_path) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Files take a few bytes, as if there were no room for more."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, full_disk: None) -> None:
    with pytest.raises(OSError, match="too large"):
        await write(tmp_path, *WORKSPACE)
    assert names_in(tmp_path) == []


async def test_files_of_lightrag_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "vdb_chunks.json").write_text("kept")

    with pytest.raises(TargetNotEmptyError, match="holds files of LightRAG"):
        await write(tmp_path, *WORKSPACE)
    assert names_in(tmp_path) == ["vdb_chunks.json"]
    assert (tmp_path / "vdb_chunks.json").read_text() == "kept"


async def test_workspaces_of_one_folder_are_apart(tmp_path: Path) -> None:
    for name in ("", "notes"):
        target = FolderTarget.in_folder(tmp_path, name)
        await target.write(Given(*WORKSPACE), Nobody())

    assert FolderSource.in_folder(tmp_path, "notes").dimension() == 4


async def test_two_at_once_do_not_write_into_one_folder(tmp_path: Path) -> None:
    ends = await asyncio.gather(
        *(write(tmp_path, *WORKSPACE) for _ in range(2)), return_exceptions=True
    )

    assert [type(end) for end in ends if end is not None] == [TargetNotEmptyError]
    assert (await FolderTarget(tmp_path).check(Nobody()))["full_docs"].count == 2


async def test_what_a_killed_copy_left_is_removed_unless_it_still_runs(tmp_path: Path) -> None:
    left = tmp_path / ".ragfleet-unfinished"
    left.mkdir()
    (left / "kv_store_full_docs.json").write_text('{"a": {"cont')
    with (left / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TargetNotEmptyError, match="Another migration"):
            await write(tmp_path, *WORKSPACE)
    assert (left / "kv_store_full_docs.json").exists()

    await write(tmp_path, *WORKSPACE)
    assert not left.exists()


async def test_a_copy_killed_while_it_named_its_files_is_told(tmp_path: Path) -> None:
    await write(tmp_path, *WORKSPACE)
    left = tmp_path / ".ragfleet-unfinished"
    left.mkdir()
    (tmp_path / "kv_store_doc_status.json").rename(left / "kv_store_doc_status.json")

    with pytest.raises(TargetNotEmptyError, match="killed"):
        await write(tmp_path, *WORKSPACE)


async def test_a_file_that_lightrag_would_not_find_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(tmp_path, *WORKSPACE)
    monkeypatch.setattr(writing, "GRAPH_FILE", "graph.graphml")

    with pytest.raises(MigrationDiffersError, match="entities Bern: all"):
        await FolderTarget(tmp_path).check(Nobody())
