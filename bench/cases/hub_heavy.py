"""The same twenty entities everywhere: every document changes what all others have changed."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import evenly, library

NAME = "hub_heavy"
_CHUNKS = 400
_ENTITIES = 20


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads a quarter."""
    documents = library(bench.options.size(_CHUNKS), cast=evenly(_ENTITIES), prefix="hub")
    return await compare(bench, Comparison(concurrency=128, documents=documents, stock_share=0.25))
