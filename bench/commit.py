"""The commit alone: everything is extracted first, while the one writer is held."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.clients import FleetClient, RunFailedError, wait_for
from bench.ingestion import require_all, running_fleet
from bench.measure.usage import measured
from bench.options import Bench
from bench.settings import FleetShape, Latency
from bench.systems.ours import Fleet
from bench.systems.processes import Crowd
from bench.systems.tools import run_tool
from bench.workloads import Document

_FLEET = FleetShape(workers=(("prepare,extract", 2), ("commit,maintenance", 1)))
_COMMITTER = "worker-commit+maintenance-0"
_TIMEOUT_S = 900.0
_LOOK_S = 0.1  # a run takes seconds, so half a second would be a lot


async def measure_commit(
    bench: Bench, documents: Sequence[Document], *, preloaded_entities: int = 0
) -> dict[str, Any]:
    """Measure how long the one writer takes for documents that are ready."""
    models = bench.models(64)
    ground = bench.ground
    place = await ground.stores.make_place("commits", graph=bench.options.graph)
    filled: dict[str, Any] = {}
    async with running_fleet(ground, place, models, _FLEET) as (crowd, fleet, client):
        if preloaded_entities:
            filled = await run_tool(
                ground, "bench.systems.fill", place, models, entities=preloaded_entities
            )
        found = await _commit_at_once(bench, crowd, fleet, client, documents)
    return {
        "system": "lightrag-fleet",
        "graph": bench.options.graph,
        "settings": asdict(_FLEET),
        "preloaded_entities": preloaded_entities,
        **filled,
        **found,
    }


async def _commit_at_once(
    bench: Bench, crowd: Crowd, fleet: Fleet, client: FleetClient, documents: Sequence[Document]
) -> dict[str, Any]:
    ground = bench.ground
    latency = Latency()
    await ground.stub.behave(chat_latency_s=latency.chat_s, embedding_latency_s=latency.embedding_s)
    before, _failed = await client.progress()

    def pids() -> Mapping[str, int]:
        return {**ground.stores.pids, **ground.stub_crowd.pids, **crowd.pids}

    with fleet.paused(_COMMITTER) as resume:
        await client.upload(documents)
        await _until_ready(client, len(documents))
        await ground.stub.reset()
        async with measured(pids) as usage:
            # The clock starts while the writer still stands: it gets no head start.
            started_s = time.monotonic()
            resume()
            ended = await wait_for(
                client, before + len(documents), timeout_s=_TIMEOUT_S, look_s=_LOOK_S
            )
            wall_s = time.monotonic() - started_s
    require_all(ended - before, len(documents))
    stats = await ground.stub.stats()
    return {
        "documents": len(documents),
        "succeeded": ended - before,
        "wall_s": round(wall_s, 2),
        "documents_per_s": round(len(documents) / wall_s, 2),
        "model_calls": stats["calls"],
        "cpu_s": usage.cpu_s,
        "others_cpu_s": usage.others_cpu_s,
        "peak_rss_mib": usage.peak_rss_mib,
    }


async def _until_ready(client: FleetClient, count: int) -> None:
    give_up_at_s = time.monotonic() + _TIMEOUT_S
    while (await client.states()).get("ready", 0) < count:
        if time.monotonic() > give_up_at_s:
            raise RunFailedError(f"not all extracted: {await client.states()}")
        await asyncio.sleep(_LOOK_S)
