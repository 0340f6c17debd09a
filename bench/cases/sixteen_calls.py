"""Sixteen model calls of half a second at a time, for at least a minute."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import library, unevenly

NAME = "sixteen_calls"
# Two calls a chunk (the second looks for what the first missed): 16 chunks a second at best.
_CHUNKS = 1000


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads a quarter, which takes it as long."""
    documents = library(bench.options.size(_CHUNKS), cast=unevenly(1500))
    return await compare(bench, Comparison(concurrency=16, documents=documents, stock_share=0.25))
