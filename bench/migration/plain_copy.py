"""`python -m bench.migration.plain_copy ORDER`: what a script does that knows LightRAG's API only.

It takes a folder item by item and upserts each into the stores. Vectors are handed over as they
are, so that no model is waited for. Of each kind of item some seconds' worth is copied.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from lightrag import LightRAG

from bench.settings import ModelSettings
from bench.systems.open_lightrag import opened_lightrag
from ops.migrate.folder.source import FolderSource
from ops.migrate.tally import section_of
from worker.commit.operations import Kind, Operation

_MIN_S = 0.001


async def copy_some(rag: LightRAG, folder: Path, *, seconds_a_kind: float) -> dict[str, float]:
    """Copy items of each kind for some seconds; returns items a second, by kind."""
    taken: dict[str, float] = {}
    counts: dict[str, int] = {}
    async for operation in FolderSource.in_folder(folder, "").operations():
        section = section_of(operation)
        if taken.get(section, 0.0) > seconds_a_kind:
            continue
        started_s = time.monotonic()
        give_up_at_s = started_s + seconds_a_kind
        async for _ in _one_by_one(rag, operation):
            counts[section] = counts.get(section, 0) + 1
            if time.monotonic() > give_up_at_s:
                break
        taken[section] = taken.get(section, 0.0) + time.monotonic() - started_s
    return {
        section: round(count / max(taken[section], _MIN_S), 1) for section, count in counts.items()
    }


async def _one_by_one(rag: LightRAG, operation: Operation) -> AsyncIterator[None]:
    storage: Any = getattr(rag, operation.storage)
    vectors = operation.vectors or (b"",) * len(operation.rows)
    for row, vector in zip(operation.rows, vectors, strict=True):
        match operation.kind:
            case Kind.PUT_NODES:
                await storage.upsert_node(*row)
            case Kind.PUT_EDGES:
                await storage.upsert_edge(*row)
            case Kind.PUT_VECTORS:
                key, fields = row
                await storage.upsert({key: fields})
                numbers = np.frombuffer(vector, dtype="<f4")
                storage._pending_vector_docs[key].vector = numbers  # noqa: SLF001 - pinned internals
                await storage.index_done_callback()
            case _:
                await storage.upsert({row[0]: row[1]})
        yield


async def _main(order: dict[str, Any]) -> None:
    models = ModelSettings(**order["models"])
    async with opened_lightrag(
        models, workspace=order["workspace"], graph=order["graph"], local_vectors=True
    ) as rag:
        rates = await copy_some(rag, Path(order["folder"]), seconds_a_kind=order["seconds_a_kind"])
    print(json.dumps({"items_per_s": rates}))


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
