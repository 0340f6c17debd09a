"""The commit alone: forty documents of twelve chunks about the same hundred and fifty entities."""

from typing import Any

from bench.commit import measure_commit
from bench.options import Bench
from bench.workloads import books, evenly

NAME = "commit_alone"
_DOCUMENTS = 40
_CHUNKS = 12
_ENTITIES = 150


async def run(bench: Bench) -> dict[str, Any]:
    """Measure documents a second."""
    count = bench.options.size(_DOCUMENTS)
    documents = books(count, chunks=_CHUNKS, cast=evenly(_ENTITIES), prefix="overlap")
    return {"runs": [await measure_commit(bench, documents)]}
