"""`python -m bench.migration.made_folder DIR ENTITIES RELATIONS CHUNKS`: a folder of LightRAG's.

The files are those that stock LightRAG 1.5 writes, made up and written as streams: to make them
with LightRAG would take far longer than to move them.
"""

import base64
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.utils import compute_mdhash_id, make_relation_chunk_key

from bench.migration.made_rows import CHUNKS_A_DOCUMENT, DIMENSION, Made, Size

Row = dict[str, Any]

_TIME_S = 1_760_000_000
_TIMES = {"create_time": _TIME_S, "update_time": _TIME_S}
_MOMENT = "2026-01-01T00:00:00+00:00"
# 1,200 tokens, LightRAG's default, are about so many characters of English.
_CHUNK_CHARACTERS = 4000
_PROMPT_CHARACTERS = 4500
_REPLY_CHARACTERS = 1500
_ENTITY_CHARACTERS = 350
_RELATION_CHARACTERS = 220
_GRAPH_FIELDS = {
    "node": ("entity_id", "entity_type", "description", "source_id", "file_path", "created_at"),
    "edge": ("weight", "description", "keywords", "source_id", "file_path", "created_at"),
}
_GRAPH_TYPES = {"weight": "double", "created_at": "long"}


def make_folder(folder: Path, size: Size) -> None:
    """Write a workspace without a name into a folder that is made."""
    folder.mkdir(parents=True)
    made = Made(size)
    for name, rows in _tables(made):
        _write_rows(folder / f"kv_store_{name}.json", rows)
    _write_graph(folder / "graph_chunk_entity_relation.graphml", made)
    for seed, (name, count, rows) in enumerate(_vector_tables(made)):
        blocks = made.vectors(count, seed=seed), made.vectors(count, seed=seed)
        _write_vectors(folder / f"vdb_{name}.json", rows, *blocks)


def _tables(made: Made) -> Iterator[tuple[str, Iterable[tuple[str, Row]]]]:
    size = made.size
    yield "full_docs", (_document(made, number) for number in range(size.documents))
    yield "text_chunks", (_chunk(made, number) for number in range(size.chunks))
    yield "llm_response_cache", (_reply(made, number) for number in range(size.chunks))
    names = ((made.name(number), number) for number in range(size.entities))
    yield "entity_chunks", ((name, _tracking(made, number)) for name, number in names)
    pairs = ((number, *_ends(made, number)) for number in range(size.relations))
    keys = ((make_relation_chunk_key(one, two), number) for number, one, two in pairs)
    yield "relation_chunks", ((key, _tracking(made, number)) for key, number in keys)
    yield "full_entities", (_entities_of(made, number) for number in range(size.documents))
    yield "full_relations", (_relations_of(made, number) for number in range(size.documents))
    yield "doc_status", (_status(made, number) for number in range(size.documents))


def _vector_tables(made: Made) -> Iterator[tuple[str, int, Iterable[Row]]]:
    size = made.size
    yield "entities", size.entities, (_entity_row(made, n) for n in range(size.entities))
    yield "relationships", size.relations, (_relation_row(made, n) for n in range(size.relations))
    yield "chunks", size.chunks, (_chunk_row(made, n) for n in range(size.chunks))


def _ends(made: Made, relation: int) -> tuple[str, str]:
    one, two = made.pair(relation)
    first, second = sorted((made.name(one), made.name(two)))
    return first, second


def _document(made: Made, number: int) -> tuple[str, Row]:
    first = number * CHUNKS_A_DOCUMENT
    chunks = range(first, min(first + CHUNKS_A_DOCUMENT, made.size.chunks))
    text = "".join(made.text(chunk, _CHUNK_CHARACTERS) for chunk in chunks)
    return made.document_of(first), {"content": text, "file_path": f"book-{number}.txt", **_TIMES}


def _chunk(made: Made, number: int) -> tuple[str, Row]:
    return made.chunk(number), {
        "tokens": 1200,
        "content": made.text(number, _CHUNK_CHARACTERS),
        "chunk_order_index": number % CHUNKS_A_DOCUMENT,
        "full_doc_id": made.document_of(number),
        "file_path": f"book-{number // CHUNKS_A_DOCUMENT}.txt",
        "llm_cache_list": [_reply_key(number)],
        **_TIMES,
    }


def _reply_key(number: int) -> str:
    return f"default:extract:{number:032x}"


def _reply(made: Made, number: int) -> tuple[str, Row]:
    return _reply_key(number), {
        "return": made.text(number * 3, _REPLY_CHARACTERS),
        "cache_type": "extract",
        "chunk_id": made.chunk(number),
        "original_prompt": made.text(number, _PROMPT_CHARACTERS),
        "queryparam": None,
        **_TIMES,
    }


def _tracking(made: Made, number: int) -> Row:
    sources = made.sources(number)
    return {"chunk_ids": sources, "count": len(sources), **_TIMES}


def _entities_of(made: Made, document: int) -> tuple[str, Row]:
    names = [made.name(n) for n in range(document, made.size.entities, made.size.documents)]
    key = made.document_of(document * CHUNKS_A_DOCUMENT)
    return key, {"entity_names": names, "count": len(names), **_TIMES}


def _relations_of(made: Made, document: int) -> tuple[str, Row]:
    numbers = range(document, made.size.relations, made.size.documents)
    pairs = [list(_ends(made, number)) for number in numbers]
    key = made.document_of(document * CHUNKS_A_DOCUMENT)
    return key, {"relation_pairs": pairs, "count": len(pairs), **_TIMES}


def _status(made: Made, number: int) -> tuple[str, Row]:
    first = number * CHUNKS_A_DOCUMENT
    chunks = range(first, min(first + CHUNKS_A_DOCUMENT, made.size.chunks))
    return made.document_of(first), {
        "status": "processed",
        "content_summary": made.text(first, 250),
        "content_length": _CHUNK_CHARACTERS * len(chunks),
        "chunks_count": len(chunks),
        "chunks_list": [made.chunk(chunk) for chunk in chunks],
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "file_path": f"book-{number}.txt",
        "track_id": f"insert-{number}",
        "metadata": {"processing_start_time": _TIME_S, "processing_end_time": _TIME_S},
    }


def _entity_row(made: Made, number: int) -> Row:
    name = made.name(number)
    return {
        "__id__": compute_mdhash_id(name, prefix="ent-"),
        "__created_at__": _TIME_S,
        "entity_name": name,
        "content": f"{name}\n{made.text(number, _ENTITY_CHARACTERS)}",
        "source_id": GRAPH_FIELD_SEP.join(made.sources(number)),
        "file_path": "book.txt",
    }


def _relation_row(made: Made, number: int) -> Row:
    one, two = _ends(made, number)
    return {
        "__id__": compute_mdhash_id(one + two, prefix="rel-"),
        "__created_at__": _TIME_S,
        "src_id": one,
        "tgt_id": two,
        "source_id": GRAPH_FIELD_SEP.join(made.sources(number)),
        "content": f"knows\t{one}\n{two}\n{made.text(number, _RELATION_CHARACTERS)}",
        "file_path": "book.txt",
    }


def _chunk_row(made: Made, number: int) -> Row:
    return {
        "__id__": made.chunk(number),
        "__created_at__": _TIME_S,
        "content": made.text(number, _CHUNK_CHARACTERS),
        "full_doc_id": made.document_of(number),
        "file_path": f"book-{number // CHUNKS_A_DOCUMENT}.txt",
    }


def _write_rows(path: Path, rows: Iterable[tuple[str, Row]]) -> None:
    with path.open("w") as file:
        opening = "{\n  "
        for key, row in rows:
            file.write(f"{opening}{json.dumps(key)}: {json.dumps({**row, '_id': key}, indent=2)}")
            opening = ",\n  "
        file.write("\n}" if opening.startswith(",") else "{}")


def _write_graph(path: Path, made: Made) -> None:
    size = made.size
    nodes = (
        f"<node id={quoteattr(made.name(number))}>{_data('node', _node(made, number))}</node>\n"
        for number in range(size.entities)
    )
    edges = (
        f"<edge source={quoteattr(one)} target={quoteattr(two)}>"
        f"{_data('edge', _edge(made, number))}</edge>\n"
        for number in range(size.relations)
        for one, two in [_ends(made, number)]
    )
    with path.open("w") as file:
        file.write('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for kind, fields in _GRAPH_FIELDS.items():
            for field in fields:
                type_ = _GRAPH_TYPES.get(field, "string")
                file.write(
                    f'<key id="{kind}-{field}" for="{kind}" attr.name="{field}" '
                    f'attr.type="{type_}" />\n'
                )
        file.write('<graph edgedefault="undirected">\n')
        file.writelines(chain(nodes, edges))
        file.write("</graph>\n</graphml>\n")


def _data(kind: str, row: Row) -> str:
    return "".join(
        f'<data key="{kind}-{field}">{escape(str(row[field]))}</data>'
        for field in _GRAPH_FIELDS[kind]
    )


def _node(made: Made, number: int) -> Row:
    return {
        "entity_id": made.name(number),
        "entity_type": ("person", "organization", "concept")[number % 3],
        "description": made.text(number, _ENTITY_CHARACTERS),
        "source_id": GRAPH_FIELD_SEP.join(made.sources(number)),
        "file_path": "book.txt",
        "created_at": _TIME_S,
    }


def _edge(made: Made, number: int) -> Row:
    return {
        "weight": 1.0 + number % 5,
        "description": made.text(number, _RELATION_CHARACTERS),
        "keywords": "knows",
        "source_id": GRAPH_FIELD_SEP.join(made.sources(number)),
        "file_path": "book.txt",
        "created_at": _TIME_S,
    }


def _write_vectors(
    path: Path,
    rows: Iterable[Row],
    blocks: Iterable[np.ndarray[Any, np.dtype[np.float32]]],
    same_blocks: Iterable[np.ndarray[Any, np.dtype[np.float32]]],
) -> None:
    """Write NanoVectorDB's file; the blocks come twice, since it holds the vectors twice."""
    vectors = (vector for block in blocks for vector in block)
    with path.open("w") as file:
        file.write(f'{{"embedding_dim": {DIMENSION}, "data": [')
        separator = ""
        for row, vector in zip(rows, vectors, strict=True):
            packed = base64.b64encode(zlib.compress(vector.astype(np.float16).tobytes(), 1))
            file.write(separator + json.dumps({**row, "vector": packed.decode()}))
            separator = ", "
        file.write('], "matrix": "')
        for block in same_blocks:
            file.write(base64.b64encode(block.tobytes()).decode())
        file.write('"}')


if __name__ == "__main__":
    make_folder(Path(sys.argv[1]), Size(*map(int, sys.argv[2:5])))
