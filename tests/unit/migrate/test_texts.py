"""Texts that nothing can hold are found before anything is written, and their rows are named."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ops.migrate import texts
from ops.migrate.errors import UnstorableTextError
from ops.migrate.folder.source import FolderSource
from ops.migrate.texts import checked
from worker.commit.operations import Kind, Operation


class Given:
    embedding_model = ""

    def __init__(self, *operations: Operation) -> None:
        self._operations = operations

    def dimension(self) -> int | None:
        return None

    def fingerprint(self) -> str:
        return ""

    async def operations(self) -> AsyncIterator[Operation]:
        for operation in self._operations:
            yield operation


async def read(source: Any) -> list[Operation]:
    return [operation async for operation in checked(source)]


@pytest.mark.parametrize(
    "row",
    [
        {"content": "a\0b"},
        {"content": "a\ud800"},
        {"chunks": ["x", {"deep\0": 1}]},
        {"\udc00": 1},
    ],
)
async def test_a_row_that_no_store_takes_is_named(row: dict[str, Any]) -> None:
    good = Operation(Kind.PUT_ROWS, "full_docs", [["fine", {"content": "Ä 😀 文"}]])
    bad = Operation(Kind.PUT_ROWS, "text_chunks", [["other", {}], ["chunk-7", row]])

    with pytest.raises(UnstorableTextError, match="chunk-7 of text_chunks"):
        await read(Given(good, bad))


async def test_a_name_that_no_store_takes_is_shown_without_it() -> None:
    bad = Operation(Kind.PUT_EDGES, "chunk_entity_relation_graph", [["A\0", "B\ud800", {}]])

    with pytest.raises(UnstorableTextError, match=r"A\? – B\? of relations"):
        await read(Given(bad))


@pytest.fixture(params=[1, 7, 1 << 24])
def window_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much of a file is looked at in one go: no character may hide at an edge."""
    monkeypatch.setattr(texts, "_WINDOW_BYTES", request.param)


@pytest.mark.usefixtures("window_bytes")
@pytest.mark.parametrize(
    "text", [r"x\ud800y", r"x\udc00y", r"\ud800\ud800\udc00", r"\ud83d\n\ude00", r"\ud83d"]
)
async def test_half_a_character_in_a_file_is_found_though_parsers_hide_it(
    tmp_path: Path, text: str
) -> None:
    content = '{\n  "doc-1": {"content": "fine"},\n  "doc-2": {\n    "content": "' + text + '"}}'
    (tmp_path / "kv_store_full_docs.json").write_text(content)
    json.loads(content)

    with pytest.raises(UnstorableTextError, match="row doc-2"):
        await read(FolderSource(tmp_path))


@pytest.mark.usefixtures("window_bytes")
@pytest.mark.parametrize("text", [r"\ud83d\ude00", r"C:\\ud800", r"\\\ud83d\ude00", "😀"])
async def test_whole_characters_are_let_through(tmp_path: Path, text: str) -> None:
    (tmp_path / "kv_store_full_docs.json").write_text('{"doc-1": {"content": "' + text + '"}}')

    assert len(await read(FolderSource(tmp_path))) == 1
