"""The same commit into an empty graph and into one that holds 100,000 entities."""

from typing import Any

from bench.commit import measure_commit
from bench.measure.arithmetic import ratio
from bench.options import Bench
from bench.workloads import books, evenly

NAME = "large_graph"
_DOCUMENTS = 40
_CHUNKS = 12
_ENTITIES = 150
_PRELOADED = 100_000


async def run(bench: Bench) -> dict[str, Any]:
    """Measure both."""
    count = bench.options.size(_DOCUMENTS)
    documents = books(count, chunks=_CHUNKS, cast=evenly(_ENTITIES), prefix="overlap")
    cold = await measure_commit(bench, documents)
    preloaded = bench.options.size(_PRELOADED)
    full = await measure_commit(bench, documents, preloaded_entities=preloaded)
    warm = await measure_commit(bench, documents)
    # The first run pays for a cold Neo4j: compared with it alone, a full graph would look cheap.
    empty_s = min(cold["wall_s"], warm["wall_s"])
    return {"runs": [cold, full, warm], "full_to_empty": ratio(full["wall_s"], empty_s)}
