"""One system takes documents and is measured until the last of them is in its graph."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from bench.clients import FleetClient, Ingesting, RunFailedError, StockClient, wait_for
from bench.ground import Ground
from bench.measure.arithmetic import model_bound_s, per_hour, ratio
from bench.measure.usage import measured
from bench.settings import FleetShape, Latency, ModelSettings, StockShape
from bench.systems.ours import Fleet
from bench.systems.processes import Crowd
from bench.systems.stock import StockServer
from bench.systems.stores import Place
from bench.workloads import Document, articles, evenly

_TIMEOUT_S = 1800.0
Json = dict[str, Any]


@asynccontextmanager
async def running_fleet(
    ground: Ground, place: Place, models: ModelSettings, shape: FleetShape
) -> AsyncIterator[tuple[Crowd, Fleet, FleetClient]]:
    """Run our system for the time of a `with` block."""
    async with ground.crowd() as crowd:
        fleet = Fleet(crowd)
        await fleet.start(ground.stores, place, models, shape)
        async with FleetClient(fleet.urls[0], place.workspace) as client:
            await client.make_workspace()
            await fleet.workers_answer()
            await warm_up(client, sum(count for _queues, count in shape.workers) * 4)
            yield crowd, fleet, client


@asynccontextmanager
async def running_stock(
    ground: Ground, place: Place, models: ModelSettings, shape: StockShape
) -> AsyncIterator[tuple[Crowd, StockClient]]:
    """Run stock for the time of a `with` block."""
    async with ground.crowd() as crowd:
        server = StockServer(crowd, ground.stock_program)
        await server.start(ground.stores, place, models, shape)
        async with StockClient(server.url) as client:
            await warm_up(client, 4)
            yield crowd, client


async def warm_up(system: Ingesting, count: int) -> None:
    """Let every process load and connect what it needs, which an operator pays for once."""
    documents = articles(count, cast=evenly(12), prefix="warm-up")
    await system.upload(documents)
    await wait_for(system, count, timeout_s=_TIMEOUT_S)


async def ingest_with_fleet(
    ground: Ground,
    documents: Sequence[Document],
    *,
    graph: str,
    models: ModelSettings,
    shape: FleetShape,
    latency: Latency,
) -> Json:
    """Measure our system over empty stores."""
    place = await ground.stores.make_place("ours", graph=graph)
    async with running_fleet(ground, place, models, shape) as (crowd, _fleet, client):
        found = await ingest(ground, crowd, client, documents, models=models, latency=latency)
    return {"system": "lightrag-fleet", "graph": graph, "settings": asdict(shape), **found}


async def ingest_with_stock(
    ground: Ground,
    documents: Sequence[Document],
    *,
    graph: str,
    models: ModelSettings,
    shape: StockShape,
    latency: Latency,
) -> Json:
    """Measure stock over empty stores."""
    place = await ground.stores.make_place("stock", graph=graph)
    async with running_stock(ground, place, models, shape) as (crowd, client):
        found = await ingest(ground, crowd, client, documents, models=models, latency=latency)
    return {"system": "lightrag-server", "graph": graph, "settings": asdict(shape), **found}


async def ingest(
    ground: Ground,
    crowd: Crowd,
    system: Ingesting,
    documents: Sequence[Document],
    *,
    models: ModelSettings,
    latency: Latency,
) -> Json:
    """Hand documents over and measure until all have ended; the system runs already."""
    await ground.stub.behave(chat_latency_s=latency.chat_s, embedding_latency_s=latency.embedding_s)
    await ground.stub.reset()
    before, _failed = await system.progress()

    def pids() -> Mapping[str, int]:
        return {**ground.stores.pids, **ground.stub_crowd.pids, **crowd.pids}

    async with measured(pids) as usage:
        started_s = time.monotonic()
        await system.upload(documents)
        uploaded_s = time.monotonic() - started_s
        ended = await wait_for(system, before + len(documents), timeout_s=_TIMEOUT_S)
        wall_s = time.monotonic() - started_s
    stats = await ground.stub.stats()
    succeeded = ended - before
    require_all(succeeded, len(documents))
    return {
        "documents": len(documents),
        "succeeded": succeeded,
        "text_bytes": sum(len(document.text.encode()) for document in documents),
        "wall_s": round(wall_s, 2),
        "upload_s": round(uploaded_s, 2),
        "documents_per_hour": per_hour(succeeded, wall_s),
        **_model_figures(stats, models, latency, wall_s),
        "cpu_s": usage.cpu_s,
        "others_cpu_s": usage.others_cpu_s,
        "peak_rss_mib": usage.peak_rss_mib,
    }


def require_all(succeeded: int, expected: int) -> None:
    """Refuse figures of a run that lost documents: it would look fast, whichever system it is.

    Raises:
        RunFailedError: not all documents are in the graph.
    """
    if succeeded != expected:
        raise RunFailedError(f"{succeeded} of {expected} documents are in the graph")


def _model_figures(stats: Json, models: ModelSettings, latency: Latency, wall_s: float) -> Json:
    bound_s = model_bound_s(
        stats["calls"], latency_s=latency.chat_s, concurrency=models.concurrency
    )
    chunks = stats["calls"].get("extract", 0)
    return {
        "chunks": chunks,
        "chunks_per_s": round(chunks / wall_s, 2),
        "model_calls": stats["calls"],
        "model_calls_by_client": stats["clients"],
        "max_in_flight": stats["max_in_flight"],
        "tokens": {"prompt": stats["prompt_tokens"], "completion": stats["completion_tokens"]},
        "embedded_texts": stats["texts"],
        "model_bound_s": round(bound_s, 2),
        "llm_bound_ratio": ratio(wall_s, bound_s),
    }
