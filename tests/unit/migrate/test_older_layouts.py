"""What folders of older LightRAGs lack is made of what is in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops.migrate.folder.older import rows_in
from ops.migrate.folder.older_replies import translated

GRAPH = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d0" for="node" attr.name="source_id" attr.type="string"/>
<key id="d1" for="edge" attr.name="source_id" attr.type="string"/>
<graph edgedefault="undirected">
<node id="Ulm"><data key="d0">c1&lt;SEP&gt;c3</data></node>
<node id="Bern"><data key="d0">c2</data></node>
<node id="Lost"></node>
<edge source="Ulm" target="Bern"><data key="d1">c3</data></edge>
</graph></graphml>
"""
CHUNKS = {
    "c2": {"content": "b", "full_doc_id": "one", "chunk_order_index": 1},
    "c1": {"content": "a", "full_doc_id": "one", "chunk_order_index": 0},
    "c3": {"content": "c", "full_doc_id": "two", "chunk_order_index": 0},
}
STATUSES = {
    "one": {"status": "processed", "content": "ab"},
    "two": {"status": "processed", "content": "c"},
    "bad": {"status": "failed", "error": "no model"},
}
CACHE = {
    "default": {
        "x": {"return": "r", "cache_type": "extract", "chunk_id": "c1", "embedding": "00"},
        "y": {"return": "s", "cache_type": "keywords"},
    },
    "mix:query:0": {"return": "z"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "graph_chunk_entity_relation.graphml").write_text(GRAPH)
    write(tmp_path, "text_chunks", CHUNKS)
    write(tmp_path, "doc_status", STATUSES)
    write(tmp_path, "llm_response_cache", CACHE)
    return tmp_path


def write(folder: Path, storage: str, rows: Any) -> None:
    (folder / f"kv_store_{storage}.json").write_text(json.dumps(rows))


@pytest.mark.parametrize("text", [None, "", "{}"])
@pytest.mark.parametrize(
    ("storage", "rows"),
    [
        (
            "entity_chunks",
            {
                "Ulm": {"chunk_ids": ["c1", "c3"], "count": 2},
                "Bern": {"chunk_ids": ["c2"], "count": 1},
            },
        ),
        ("relation_chunks", {"Bern<SEP>Ulm": {"chunk_ids": ["c3"], "count": 1}}),
        (
            "full_entities",
            {
                "one": {"entity_names": ["Ulm", "Bern"], "count": 2},
                "two": {"entity_names": ["Ulm"], "count": 1},
            },
        ),
        ("full_relations", {"two": {"relation_pairs": [["Bern", "Ulm"]], "count": 1}}),
    ],
)
def test_what_is_not_there_is_derived(
    folder: Path, storage: str, rows: Any, text: str | None
) -> None:
    if text is not None:
        (folder / f"kv_store_{storage}.json").write_text(text)

    assert dict(rows_in(folder, storage)) == rows


@pytest.mark.parametrize(
    "storage", ["entity_chunks", "relation_chunks", "full_entities", "full_relations"]
)
def test_what_is_there_is_left_as_it_is(folder: Path, storage: str) -> None:
    write(folder, storage, {"a": {"count": 0}})

    assert dict(rows_in(folder, storage)) == {"a": {"count": 0}}


def test_documents_know_their_chunks_in_their_order_and_not_their_texts(folder: Path) -> None:
    assert dict(rows_in(folder, "doc_status")) == {
        "one": {"status": "processed", "chunks_list": ["c1", "c2"]},
        "two": {"status": "processed", "chunks_list": ["c3"]},
        "bad": {"status": "failed", "error_msg": "no model", "chunks_list": []},
    }


def test_replies_are_given_one_by_one_and_chunks_know_them(folder: Path) -> None:
    assert dict(rows_in(folder, "llm_response_cache")) == {
        "default:extract:x": {"return": "r", "cache_type": "extract", "chunk_id": "c1"},
        "default:keywords:y": {"return": "s", "cache_type": "keywords"},
        "mix:query:0": {"return": "z"},
    }
    chunks = dict(rows_in(folder, "text_chunks"))
    assert {key: row["llm_cache_list"] for key, row in chunks.items()} == {
        "c1": ["default:extract:x"],
        "c2": [],
        "c3": [],
    }


def test_a_reply_of_old_prompts_says_the_same_in_todays_format() -> None:
    old = (
        '("entity"<|>"Ulm (Donau)"<|>"place"<|>"A town.\nIt is old.")##\n'
        '("relationship"<|>Ulm<|>Bern<|>Both are towns.<|>towns, old<|>7)##\n'
        '("entity"<|>cut off)##("content_keywords"<|>towns)<|COMPLETE|>'
    )
    assert translated(old) == (
        "entity<|#|>Ulm (Donau)<|#|>place<|#|>A town. It is old.\n"
        "relation<|#|>Ulm<|#|>Bern<|#|>towns, old<|#|>Both are towns.\n"
        "<|COMPLETE|>"
    )


@pytest.mark.parametrize("text", ["", "{}", "entity<|#|>a <|> b<|#|>c<|#|>d\n<|COMPLETE|>"])
def test_any_other_reply_is_left_as_it_is(text: str) -> None:
    assert translated(text) == text
