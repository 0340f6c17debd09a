"""The same documents through our system and through stock, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.ingestion import ingest_with_fleet, ingest_with_stock
from bench.measure.arithmetic import ratio
from bench.options import Bench
from bench.settings import FleetShape, Latency, StockShape
from bench.workloads import Document

# On two cores: two processes that extract keep both busy, one writes.
FLEET = FleetShape(workers=(("prepare,extract", 2), ("commit,maintenance", 1)))
# The best of what bench/cases/stock_settings.py tried, by the calls the endpoint allows.
STOCK_BEST = {
    16: StockShape(max_async=16, max_parallel_insert=8, embedding_batch=32),
    128: StockShape(max_async=128, max_parallel_insert=16, embedding_batch=32),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared, and how much of it stock gets: it would need hours for some."""

    concurrency: int
    documents: Sequence[Document]
    stock_share: float = 1.0
    """Stock gets the first part of the same documents; rates are compared, not times."""
    stock_documents: Sequence[Document] | None = None
    """Or others, where a part is less than one document."""

    @property
    def for_stock(self) -> Sequence[Document]:
        """What stock reads."""
        if self.stock_documents is not None:
            return self.stock_documents
        return self.documents[: round(len(self.documents) * self.stock_share) or 1]


async def compare(bench: Bench, comparison: Comparison) -> dict[str, Any]:
    """Measure both; ours first, while Neo4j is still cold, so that any error is against us."""
    models = bench.models(comparison.concurrency)
    ours = await ingest_with_fleet(
        bench.ground,
        comparison.documents,
        graph=bench.options.graph,
        models=models,
        shape=FLEET,
        latency=Latency(),
    )
    stock = await ingest_with_stock(
        bench.ground,
        comparison.for_stock,
        graph=bench.options.graph,
        models=models,
        shape=STOCK_BEST[comparison.concurrency],
        latency=Latency(),
    )
    return {
        "concurrency": comparison.concurrency,
        "runs": [ours, stock],
        "speedup": ratio(ours["chunks_per_s"], stock["chunks_per_s"]),
        "llm_bound_ratio": ours["llm_bound_ratio"],
        "llm_bound_ratio_stock": stock["llm_bound_ratio"],
    }
