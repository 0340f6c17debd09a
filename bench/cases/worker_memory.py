"""How large one worker gets that holds sixty-four model calls at a time."""

from typing import Any

from bench.ingestion import ingest_with_fleet
from bench.options import Bench
from bench.settings import FleetShape, Latency
from bench.workloads import library, unevenly

NAME = "worker_memory"
_CALLS = 64
_CHUNKS = 600
_LATENCY = Latency(chat_s=1.0, embedding_s=0.05)


async def run(bench: Bench) -> dict[str, Any]:
    """Measure the peak; `max_in_flight` shows that the calls were there."""
    measured = await ingest_with_fleet(
        bench.ground,
        library(bench.options.size(_CHUNKS), cast=unevenly(1500)),
        graph=bench.options.graph,
        models=bench.models(_CALLS),
        shape=FleetShape(workers=(("prepare,extract", 1), ("commit,maintenance", 1))),
        latency=_LATENCY,
    )
    return {
        "runs": [measured],
        "worker_peak_mib": measured["peak_rss_mib"]["worker-prepare+extract-0"],
    }
