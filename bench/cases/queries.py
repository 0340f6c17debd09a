"""Questions: idle, while documents come in, and against bare LightRAG on the same stores."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import cycle, takewhile
from typing import Any

from bench.clients import FleetClient, wait_for
from bench.comparison import FLEET
from bench.ingestion import running_fleet
from bench.measure.arithmetic import percentile, ratio
from bench.measure.asking import ask_all
from bench.options import Bench
from bench.settings import Latency
from bench.systems.tools import run_tool
from bench.workloads import SEED, library, unevenly

NAME = "queries"
_CONCURRENCY = 16
_CHUNKS = 200
_CHUNKS_MEANWHILE = 600  # a minute: fewer questions than a hundred have no 95th percentile
_QUESTIONS = 80
_WARM_UP = 8
_ASKERS = 2
_QUERY_SHARE = 0.1  # the default: questions must not wait for ingestion
_MODE = "mix"
_CAST = unevenly(1500)
_LATENCY = Latency()
# Without waiting for a model, only what the system itself takes is left.
_NO_LATENCY = Latency(chat_s=0.0, embedding_s=0.0)
_TIMEOUT_S = 900.0


async def run(bench: Bench) -> dict[str, Any]:
    """Fill a workspace, then ask."""
    ground, options = bench.ground, bench.options
    models = bench.models(_CONCURRENCY, query_share=_QUERY_SHARE)
    place = await ground.stores.make_place("questions", graph=options.graph)
    asked = _questions(options.size(_QUESTIONS))
    found: dict[str, Any] = {}
    async with running_fleet(ground, place, models, FLEET) as (_crowd, _fleet, client):
        await _ingest(client, options.size(_CHUNKS), prefix="first")
        await ask_fleet(client, asked[:_WARM_UP])
        for name, latency in (("", _LATENCY), ("_without_model_time", _NO_LATENCY)):
            await _set(bench, latency)
            found[f"idle{name}"] = summary(await ask_fleet(client, asked))
            bare = await run_tool(
                ground,
                "bench.systems.bare",
                place,
                models,
                questions=asked,
                warm_up=asked[:_WARM_UP],
                mode=_MODE,
                askers=_ASKERS,
            )
            found[f"bare{name}"] = summary(bare["took_s"])
        await _set(bench, _LATENCY)
        found["ingesting"] = summary(await _ask_while_ingesting(client, bench, asked))
    return {**found, **_ratios(found)}


def summary(took_s: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile, in milliseconds."""
    return {
        "questions": len(took_s),
        "p50_ms": round(percentile(took_s, 0.5) * 1000, 1),
        "p95_ms": round(percentile(took_s, 0.95) * 1000, 1),
    }


def _ratios(found: dict[str, Any]) -> dict[str, float | None]:
    return {
        "p95_ingesting_to_idle": ratio(found["ingesting"]["p95_ms"], found["idle"]["p95_ms"]),
        "p50_to_bare": ratio(found["idle"]["p50_ms"], found["bare"]["p50_ms"]),
        "p95_to_bare": ratio(found["idle"]["p95_ms"], found["bare"]["p95_ms"]),
        # With the model's own seconds in both, hardly any overhead would show.
        "p50_to_bare_without_model_time": ratio(
            found["idle_without_model_time"]["p50_ms"], found["bare_without_model_time"]["p50_ms"]
        ),
    }


async def _ask_while_ingesting(
    client: FleetClient, bench: Bench, asked: Sequence[str]
) -> list[float]:
    """Ask the same questions as idle, again and again, until the last document is in the graph."""
    chunks = bench.options.size(_CHUNKS_MEANWHILE)
    ingesting = asyncio.create_task(_ingest(client, chunks, prefix="second"))
    endless = takewhile(lambda _question: not ingesting.done(), cycle(asked))
    took_s = await ask_fleet(client, endless)
    await ingesting
    return took_s


async def ask_fleet(client: FleetClient, questions: Iterable[str]) -> list[float]:
    """Ask our API; returns the seconds each question took."""
    return await ask_all(partial(client.ask, mode=_MODE), questions, askers=_ASKERS)


async def _ingest(client: FleetClient, chunks: int, *, prefix: str) -> None:
    documents = library(chunks, cast=_CAST, prefix=prefix)
    before, _failed = await client.progress()
    await client.upload(documents)
    await wait_for(client, before + len(documents), timeout_s=_TIMEOUT_S)


async def _set(bench: Bench, latency: Latency) -> None:
    await bench.ground.stub.behave(
        chat_latency_s=latency.chat_s, embedding_latency_s=latency.embedding_s
    )


def _questions(count: int) -> list[str]:
    generator = random.Random(SEED)
    pairs = (_CAST.some(generator, 2) for _ in range(count))
    return [f"What did {one} and {other} discuss with each other?" for one, other in pairs]
