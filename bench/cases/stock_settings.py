"""Stock at many of its own settings: the best of them is what everything is compared with."""

from typing import Any

from bench.ingestion import ingest_with_stock
from bench.options import Bench
from bench.settings import Latency, StockShape
from bench.workloads import library, unevenly

NAME = "stock_settings"
# MAX_ASYNC is what the endpoint allows; stock's own advice for the second is a third of the first.
TRIED = (
    StockShape(max_async=16, max_parallel_insert=2),
    StockShape(max_async=16, max_parallel_insert=4),
    StockShape(max_async=16, max_parallel_insert=8),
    StockShape(max_async=16, max_parallel_insert=8, embedding_batch=32),
    StockShape(max_async=16, max_parallel_insert=16),
    StockShape(max_async=64, max_parallel_insert=4),
    StockShape(max_async=64, max_parallel_insert=16),
    StockShape(max_async=64, max_parallel_insert=16, embedding_batch=32),
    StockShape(max_async=128, max_parallel_insert=8),
    StockShape(max_async=128, max_parallel_insert=16),
    StockShape(max_async=128, max_parallel_insert=16, embedding_batch=32),
    StockShape(max_async=128, max_parallel_insert=16, embedding_batch=32, gunicorn_workers=2),
)
_CHUNKS = 160


async def run(bench: Bench) -> dict[str, Any]:
    """Measure each setting with the same documents."""
    documents = library(bench.options.size(_CHUNKS), cast=unevenly(1500))
    rows = [
        await ingest_with_stock(
            bench.ground,
            documents,
            graph=bench.options.graph,
            models=bench.models(shape.max_async),
            shape=shape,
            latency=Latency(),
        )
        for shape in TRIED
    ]
    best = max(rows, key=lambda row: float(row["documents_per_hour"]))
    return {"runs": rows, "best": best["settings"]}
