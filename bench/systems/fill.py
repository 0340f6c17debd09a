"""`python -m bench.systems.fill ORDER`: many entities through LightRAG's own storages.

Only the vectors' index is taken away meanwhile: building it at the end takes a fifth of the time.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import asyncpg
from lightrag import LightRAG
from lightrag.utils import compute_mdhash_id, make_relation_chunk_key

from bench.settings import ModelSettings
from bench.systems.open_lightrag import opened_lightrag

_BATCH = 1000
_VECTOR_BATCH = 4000
_DOCUMENTS = 1000  # how many the entities are said to come from
Row = dict[str, Any]


def names(count: int) -> list[str]:
    """Names that no document of a benchmark contains."""
    return [f"Preloaded Entity {number:06d}" for number in range(count)]


async def fill(rag: LightRAG, count: int) -> dict[str, float]:
    """Write entities, and as many relations, each between an entity and a later one.

    Returns:
        Seconds for the graph, the tracking of chunks, and the vectors.
    """
    clock = [time.monotonic()]
    everybody = names(count)
    pairs = [(one, everybody[(7 * at + 1) % count]) for at, one in enumerate(everybody)]
    pairs = [(one, other) for one, other in pairs if one != other]
    graph = rag.chunk_entity_relation_graph
    for batch in _batches([(name, _node(name)) for name in everybody], _BATCH):
        await graph.upsert_nodes_batch(batch)
    for batch in _batches([(one, other, _edge(one, other)) for one, other in pairs], _BATCH):
        await graph.upsert_edges_batch(batch)
    await graph.index_done_callback()
    clock.append(time.monotonic())
    await _fill_tracking(rag, everybody, pairs)
    clock.append(time.monotonic())
    await _fill_vectors(rag.entities_vdb, [_entity_row(name) for name in everybody])
    await _fill_vectors(rag.relationships_vdb, [_relation_row(*pair) for pair in pairs])
    clock.append(time.monotonic())
    parts = (round(end - start, 1) for start, end in pairwise(clock))
    return dict(zip(("graph_s", "tracking_s", "vectors_s"), parts, strict=True))


async def _fill_tracking(rag: LightRAG, names: list[str], pairs: list[tuple[str, str]]) -> None:
    entities = [(name, _tracking(name)) for name in names]
    relations = [(make_relation_chunk_key(*pair), _tracking(pair[0])) for pair in pairs]
    for storage, rows in ((rag.entity_chunks, entities), (rag.relation_chunks, relations)):
        for batch in _batches(rows, _BATCH):
            await storage.upsert(dict(batch))
        await storage.index_done_callback()


async def _fill_vectors(storage: Any, rows: list[tuple[str, Row]]) -> None:  # noqa: ANN401 - LightRAG's
    address = storage.db
    connection = await asyncpg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
    )
    try:
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes "
            "WHERE tablename = lower($1) AND indexdef ILIKE '%hnsw%'",
            storage.table_name,
        )
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        for batch in _batches(rows, _VECTOR_BATCH):
            await storage.upsert(dict(batch))
            await storage.index_done_callback()
        await connection.execute("SET maintenance_work_mem = '1GB'")
        for index in indexes:
            await connection.execute(index["indexdef"])
        # A graph of this size has been vacuumed; else that would fall into what is measured.
        await connection.execute(f"VACUUM ANALYZE {storage.table_name}")
    finally:
        await connection.close()


def _batches(rows: list[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(rows)
    return iter(lambda: list(islice(remaining, size)), [])


def _chunk_id(name: str) -> str:
    return f"doc-preloaded-{int(name[-6:]) % _DOCUMENTS:04d}-chunk-000"


def _node(name: str) -> Row:
    return {
        "entity_id": name,
        "entity_type": "concept",
        "description": f"{name} was here before the documents of this benchmark came.",
        "source_id": _chunk_id(name),
        "file_path": "preloaded.txt",
        "created_at": 1,
        "truncate": "",
    }


def _edge(one: str, other: str) -> Row:
    return {
        "weight": 1.0,
        "description": f"{one} is mentioned with {other}.",
        "keywords": "mentioned together",
        "source_id": _chunk_id(one),
        "file_path": "preloaded.txt",
        "created_at": 1,
        "truncate": "",
    }


def _tracking(name: str) -> Row:
    return {"chunk_ids": [_chunk_id(name)], "count": 1}


def _entity_row(name: str) -> tuple[str, Row]:
    return compute_mdhash_id(name, prefix="ent-"), {
        "content": f"{name}\n{_node(name)['description']}",
        "entity_name": name,
        "source_id": _chunk_id(name),
        "file_path": "preloaded.txt",
    }


def _relation_row(one: str, other: str) -> tuple[str, Row]:
    source, target = sorted((one, other))
    return compute_mdhash_id(source + target, prefix="rel-"), {
        "src_id": source,
        "tgt_id": target,
        "content": f"mentioned together\t{source}\n{target}\n{_edge(one, other)['description']}",
        "source_id": _chunk_id(one),
        "file_path": "preloaded.txt",
    }


async def _main(order: dict[str, Any]) -> None:
    models = ModelSettings(**order["models"])
    async with opened_lightrag(
        models, workspace=order["workspace"], graph=order["graph"], local_vectors=True
    ) as rag:
        filled = await fill(rag, order["entities"])
    print(json.dumps({"filled": filled}))


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
