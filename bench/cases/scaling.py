"""One, two, four and eight workers that wait for a slow model: twice as many, twice as fast?"""

from typing import Any

from bench.ingestion import ingest_with_fleet
from bench.measure.arithmetic import ratio
from bench.options import Bench
from bench.settings import FleetShape, Latency
from bench.workloads import articles, unevenly

NAME = "scaling"
_WORKERS = (1, 2, 4, 8)
_CALLS_A_WORKER = 8
# So long that eight workers wait for the model, and not for two cores: 8 chunks a second.
_LATENCY = Latency(chat_s=4.0, embedding_s=0.1)
# Each worker gets as much to do, whatever their number: about 60 seconds.
_ARTICLES_A_WORKER = 60


async def run(bench: Bench) -> dict[str, Any]:
    """Measure each number of workers."""
    runs = []
    for workers in _WORKERS:
        count = bench.options.size(_ARTICLES_A_WORKER) * workers
        measured = await ingest_with_fleet(
            bench.ground,
            articles(count, cast=unevenly(2500)),
            graph=bench.options.graph,
            models=bench.models(_CALLS_A_WORKER * workers),
            shape=FleetShape(workers=(("prepare,extract", workers), ("commit,maintenance", 1))),
            latency=_LATENCY,
        )
        runs.append({"workers": workers, **measured})
    alone = runs[0]["chunks_per_s"]
    efficiency = {
        run["workers"]: ratio(run["chunks_per_s"], alone * run["workers"]) for run in runs
    }
    return {"runs": runs, "efficiency": efficiency}
