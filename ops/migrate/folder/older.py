"""What folders of older LightRAGs lack, made of what is in them, as LightRAG 1.5 makes it itself.

| | 1.3.9 | 1.4.4 | 1.4.9 |
|---|---|---|---|
| `entity_chunks`, `relation_chunks` | no | no | no |
| `full_entities`, `full_relations` | no | no | yes |
| a document's `chunks_list` | no | yes | yes |
| a document's text once more in its status | yes | yes | no |
| a chunk's `llm_cache_list` | no | yes | yes |
| cached replies | one row a mode | one row each | one row each |
| what replies look like | lists in brackets | lists in brackets | as in 1.5 |

Where LightRAG makes nothing of a missing list it is made of what points the other way.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from lightrag.base import DocStatus
from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.utils import make_relation_chunk_key

from ops.migrate.folder.graph import entities_of, relations_of
from ops.migrate.folder.json_rows import Row, rows_of
from ops.migrate.folder.layout import GRAPH_FILE, ROW_FILES
from ops.migrate.folder.older_replies import translated
from worker.commit.unit_of_work.unit import STATUS_STORAGE

Rows = Iterator[tuple[str, Row]]

_REPLIES, _CHUNKS = "llm_response_cache", "text_chunks"
_EXTRACTION = "extract"
# Of a cache by similarity, which is no more.
_EMBEDDING = frozenset({"embedding", "embedding_shape", "embedding_min", "embedding_max"})


def rows_in(folder: Path, storage: str) -> Rows:
    """Give the rows of a storage as LightRAG 1.5 has them, derived where it has none.

    Raises:
        SourceUnreadableError: a file is damaged.
    """
    rows = rows_of(folder / ROW_FILES[storage])
    if storage == _REPLIES:
        return _replies(rows)
    first = next(rows, None)
    found = rows if first is None else chain([first], rows)
    if first is None:
        return _DERIVED[storage](folder) if storage in _DERIVED else found
    if storage == _CHUNKS and "llm_cache_list" not in first[1]:
        return _with_replies(found, folder)
    if storage == STATUS_STORAGE:
        return _statuses(found, folder)
    return found


def _replies(rows: Rows) -> Rows:
    """Give cached replies one by one: LightRAG before 1.4 kept those of a mode in one row."""
    for key, row in rows:
        if row and all(isinstance(one, dict) and "return" in one for one in row.values()):
            for digest, reply in row.items():
                yield f"{key}:{reply.get('cache_type', _EXTRACTION)}:{digest}", _reply(reply)
        else:
            yield key, _reply(row)


def _reply(row: Row) -> Row:
    reply = {name: value for name, value in row.items() if name not in _EMBEDDING}
    if reply.get("cache_type") == _EXTRACTION and isinstance(reply.get("return"), str):
        reply["return"] = translated(reply["return"])
    return reply


def _with_replies(chunks: Rows, folder: Path) -> Rows:
    """Note at chunks which replies were made of them: a deletion reads those once more."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, reply in rows_in(folder, _REPLIES):
        if reply.get("cache_type") == _EXTRACTION and reply.get("chunk_id"):
            found[reply["chunk_id"]].append(key)
    for key, row in chunks:
        yield key, {"llm_cache_list": found.get(key, []), **row}


def _statuses(rows: Rows, folder: Path) -> Rows:
    """Give the state of documents without their text, and with the names of their chunks."""
    chunks: dict[str, list[str]] | None = None
    for key, row in rows:
        status = {name: value for name, value in row.items() if name not in {"content", "error"}}
        if "error_msg" not in row and row.get("error"):
            status["error_msg"] = row["error"]
        if "chunks_list" not in row:
            chunks = _chunks_by_document(folder) if chunks is None else chunks
            status["chunks_list"] = chunks.get(key, [])
        yield key, status


def _chunks_by_document(folder: Path) -> dict[str, list[str]]:
    """Return the chunks of each document in their order; one that several have counts once."""
    places: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for key, row in rows_of(folder / ROW_FILES[_CHUNKS]):
        places[row.get("full_doc_id", "")].append((row.get("chunk_order_index", 0), key))
    return {doc_id: [key for _, key in sorted(found)] for doc_id, found in places.items()}


def _entity_chunks(folder: Path) -> Rows:
    for name, row in entities_of(folder / GRAPH_FILE):
        if chunks := _sources(row):
            yield name, {"chunk_ids": chunks, "count": len(chunks)}


def _relation_chunks(folder: Path) -> Rows:
    for one, two, row in relations_of(folder / GRAPH_FILE):
        if chunks := _sources(row):
            key = make_relation_chunk_key(one, two)
            yield key, {"chunk_ids": chunks, "count": len(chunks)}


def _full_entities(folder: Path) -> Rows:
    named = ((name, row) for name, row in entities_of(folder / GRAPH_FILE))
    for doc_id, names in _by_document(folder, named).items():
        yield doc_id, {"entity_names": list(names), "count": len(names)}


def _full_relations(folder: Path) -> Rows:
    paired = (
        (tuple(sorted((one, two))), row) for one, two, row in relations_of(folder / GRAPH_FILE)
    )
    for doc_id, pairs in _by_document(folder, paired).items():
        yield doc_id, {"relation_pairs": [list(pair) for pair in pairs], "count": len(pairs)}


def _by_document(folder: Path, items: Iterator[tuple[Any, Row]]) -> dict[str, dict[Any, None]]:
    """Return what the chunks of each document led to, in the order of the graph."""
    owner = {
        chunk: doc_id
        for doc_id, row in rows_in(folder, STATUS_STORAGE)
        if row.get("status") == DocStatus.PROCESSED
        for chunk in row["chunks_list"] or []
    }
    found: defaultdict[str, dict[Any, None]] = defaultdict(dict)
    for item, row in items:
        for chunk in _sources(row):
            if chunk in owner:
                found[owner[chunk]][item] = None
    return found


def _sources(row: Row) -> list[str]:
    return [chunk for chunk in (row.get("source_id") or "").split(GRAPH_FIELD_SEP) if chunk]


_DERIVED: dict[str, Callable[[Path], Rows]] = {
    "entity_chunks": _entity_chunks,
    "relation_chunks": _relation_chunks,
    "full_entities": _full_entities,
    "full_relations": _full_relations,
}
