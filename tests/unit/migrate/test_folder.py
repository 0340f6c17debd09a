"""Files that are damaged, odd or old."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ops.migrate.errors import SourceNotFoundError, SourceUnreadableError
from ops.migrate.folder import vectors as vectors_module
from ops.migrate.folder.graph import entities_of, relations_of
from ops.migrate.folder.json_rows import rows_of
from ops.migrate.folder.source import FolderSource
from ops.migrate.folder.vectors import open_vectors

GRAPH = """<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d1" for="node" attr.name="entity_id" attr.type="string"/>
<key id="d2" for="edge" attr.name="weight" attr.type="double"/>
<key id="d3" for="edge" attr.name="created_at" attr.type="long"/>
<graph edgedefault="undirected">
<node id="Bern"><data key="d1">Bern</data></node>
<node id="Ulm &amp; Söhne"><data key="d1">Ulm &amp; Söhne</data></node>
<edge source="Bern" target="Ulm &amp; Söhne"><data key="d2">2.5</data><data key="d3">7</data></edge>
</graph></graphml>
"""


def vector_file(path: Path, *, rows: int, vectors: int, dimension: int = 5) -> list[bytes]:
    numbers = np.random.default_rng(1).standard_normal((vectors, dimension)).astype("<f4")
    data = [{"__id__": str(n), "content": 'a "matrix": "b"', "vector": "eA=="} for n in range(rows)]
    matrix = base64.b64encode(numbers.tobytes()).decode()
    path.write_text(json.dumps({"embedding_dim": dimension, "data": data, "matrix": matrix}))
    return [vector.tobytes() for vector in numbers]


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff"])
def test_a_blank_file_has_no_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kv_store_full_docs.json"
    path.write_text(text)

    assert list(rows_of(path)) == []


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "kv_store_full_docs.json"
    path.write_text('\ufeff{"a": {"weight": 0.5}}')

    assert list(rows_of(path)) == [("a", {"weight": 0.5})]


@pytest.mark.parametrize("text", ['{"a": {"b": 1}', '{"a": 3}', "[]", "nonsense", '{"a": {}} x'])
def test_a_damaged_file_of_rows_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kv_store_full_docs.json"
    path.write_text(text)

    with pytest.raises(SourceUnreadableError, match=r"kv_store_full_docs\.json"):
        list(rows_of(path))


def test_text_that_is_no_utf8_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "kv_store_full_docs.json"
    path.write_bytes(b'{"a": {"b": "\xff"}}')

    with pytest.raises(SourceUnreadableError):
        list(rows_of(path))


# 300 are read at once, and three are the smallest number that ends with a letter of base64.
@pytest.mark.parametrize("count", [0, 1, 2, 3, 299, 300, 301, 700])
def test_each_row_gets_its_vector(tmp_path: Path, count: int) -> None:
    path = tmp_path / "vdb_chunks.json"
    vectors = vector_file(path, rows=count, vectors=count)

    with open_vectors(path) as found:
        assert found is not None
        assert found.dimension == 5
        rows = list(found.rows())
    assert rows == [
        (str(n), {"content": 'a "matrix": "b"'}, vector) for n, vector in enumerate(vectors)
    ]


def test_the_matrix_is_found_wherever_a_window_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = vector_file(tmp_path / "vdb_chunks.json", rows=4, vectors=4)
    for size in range(1, 40):
        monkeypatch.setattr(vectors_module, "_SEARCH_BYTES", size)
        with open_vectors(tmp_path / "vdb_chunks.json") as found:
            assert found is not None
            assert [vector for _, _, vector in found.rows()] == vectors


@pytest.mark.parametrize(("rows", "vectors"), [(3, 2), (2, 3), (301, 300)])
def test_rows_without_vectors_are_damage(tmp_path: Path, rows: int, vectors: int) -> None:
    path = tmp_path / "vdb_chunks.json"
    vector_file(path, rows=rows, vectors=vectors)

    with (
        open_vectors(path) as found,
        pytest.raises(SourceUnreadableError, match=r"vdb_chunks\.json"),
    ):
        list(found.rows() if found else [])


@pytest.mark.parametrize("kept", [1, 40, 100, 150, -2, -30])
def test_a_cut_off_vector_file_is_damage(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "vdb_chunks.json"
    vector_file(path, rows=4, vectors=4)
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(SourceUnreadableError), open_vectors(path) as found:
        list(found.rows() if found else [])


def test_entities_and_relations_have_their_types(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    path.write_text(GRAPH)

    assert list(entities_of(path)) == [
        ("Bern", {"entity_id": "Bern"}),
        ("Ulm & Söhne", {"entity_id": "Ulm & Söhne"}),
    ]
    assert list(relations_of(path)) == [("Bern", "Ulm & Söhne", {"weight": 2.5, "created_at": 7})]


def test_what_other_programs_add_to_a_graph_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    path.write_text(
        GRAPH.replace("</node>", "<desc>a <b>city</b></desc><port name='p'/></node>", 1)
    )

    assert next(iter(entities_of(path))) == ("Bern", {"entity_id": "Bern"})


@pytest.mark.parametrize("kept", [10, 300, -12])
def test_a_cut_off_graph_is_damage(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "graph.graphml"
    path.write_text(GRAPH[:kept])

    with pytest.raises(SourceUnreadableError, match=r"graph\.graphml"):
        list(entities_of(path))


def test_a_folder_without_lightrags_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        FolderSource.in_folder(tmp_path, "notes")


def test_a_property_that_is_not_declared_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "graph.graphml"
    path.write_text(GRAPH.replace('<data key="d1">Bern', '<data key="d9">Bern'))

    with pytest.raises(SourceUnreadableError, match=r"graph\.graphml"):
        list(entities_of(path))


async def rows_in(folder: Path, storage: str) -> dict[str, Any]:
    source = FolderSource.in_folder(folder, "")
    return {
        row[0]: row[1]
        async for operation in source.operations()
        if operation.storage == storage
        for row in operation.rows
    }


async def test_a_vector_without_its_chunk_can_be_written_anywhere(tmp_path: Path) -> None:
    (tmp_path / "kv_store_full_docs.json").write_text("{}")
    vector_file(tmp_path / "vdb_chunks.json", rows=1, vectors=1)

    row = (await rows_in(tmp_path, "chunks_vdb"))["0"]
    assert (row["tokens"], row["chunk_order_index"]) == (0, 0)
    assert row["file_path"] == "unknown_source"
