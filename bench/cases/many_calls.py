"""A hundred and twenty-eight model calls at a time: the machine is the limit, not the model."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import library, unevenly

NAME = "many_calls"
_CHUNKS = 1000


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads a quarter."""
    documents = library(bench.options.size(_CHUNKS), cast=unevenly(1500))
    return await compare(bench, Comparison(concurrency=128, documents=documents, stock_share=0.25))
