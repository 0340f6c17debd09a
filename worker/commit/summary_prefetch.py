"""Summaries of relations, asked for beforehand and all at the same time.

LightRAG's merge holds both ends of a relation while it waits for the relation's summary, so that
all relations of a hub wait for one another's model calls. Here each relation that will need one is
merged once in advance, and all that it writes is dropped but the summary: the merge proper finds it
in the cache of the unit of work, or asks for it in the same words while it is on its way.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from lightrag.constants import GRAPH_FIELD_SEP
from lightrag.operate import _merge_edges_then_upsert  # pinned internals
from lightrag.utils import wait_tasks_with_drain

from worker.commit.prepared import Slice
from worker.commit.unit_of_work.unit import UnitOfWork

Pair = tuple[str, str]
Record = dict[str, Any]
_BYTES_A_TOKEN = 4  # about; a wrong guess costs time, never a summary


@asynccontextmanager
async def summaries_prefetched(unit: UnitOfWork, pieces: Sequence[Slice]) -> AsyncIterator[None]:
    """Ask for summaries while the block merges; what fails here fails in the merge as well.

    Args:
        unit: what the merge is going to read is there already.
        pieces: the merge's.
    """
    asking = asyncio.create_task(_ask(unit, pieces))
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.wait([asking])
        if not asking.cancelled():
            asking.exception()  # looked at, or asyncio would log it


async def _ask(unit: UnitOfWork, pieces: Sequence[Slice]) -> None:
    found: defaultdict[Pair, list[Record]] = defaultdict(list)
    for extraction in (e for piece in pieces for e in piece.extractions):
        for (one, two), records in extraction.edges.items():
            found[(min(one, two), max(one, two))].extend(records)
    merges = [
        asyncio.create_task(_merge(unit, pair, records))
        for pair, records in found.items()
        if _needs_summary(unit, await unit.graph.get_edge(*pair), records)
    ]
    await wait_tasks_with_drain(merges)


def _needs_summary(unit: UnitOfWork, stored: Record | None, records: Sequence[Record]) -> bool:
    """Tell whether descriptions are too many, or too long, to be joined."""
    config = unit.rag._build_global_config()  # noqa: SLF001 - the unit of work's own
    texts = {record.get("description") or "" for record in records}
    if stored is not None:
        texts.update((stored.get("description") or "").split(GRAPH_FIELD_SEP))
    texts.discard("")
    many: int = config["force_llm_summary_on_merge"]
    long: int = config["summary_max_tokens"] * _BYTES_A_TOKEN
    return len(texts) >= many or sum(len(text.encode()) for text in texts) >= long


async def _merge(unit: UnitOfWork, pair: Pair, records: list[Record]) -> None:
    await _merge_edges_then_upsert(
        *pair,
        records,
        _Unwritten(unit.graph),
        relationships_vdb=None,
        entity_vdb=None,
        global_config=unit.rag._build_global_config(),  # noqa: SLF001 - as above
        llm_response_cache=unit.rows["llm_response_cache"],
        relation_chunks_storage=_Unwritten(unit.rows["relation_chunks"]),
    )


class _Unwritten:
    """A storage of a unit of work that is read, and never written."""

    def __init__(self, storage: Any) -> None:  # noqa: ANN401 - one of the unit's
        self._storage = storage

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what is read
        return getattr(self._storage, name)

    async def upsert(self, _rows: dict[str, Record]) -> None:
        """Drop rows."""

    async def upsert_node(self, _name: str, node_data: Record) -> None:
        """Drop an entity."""

    async def upsert_edge(self, _one: str, _two: str, edge_data: Record) -> None:
        """Drop a relation."""
