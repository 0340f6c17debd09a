"""Many articles of one chunk each."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import articles, unevenly

NAME = "one_chunk_articles"
_ARTICLES = 2000


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads an eighth."""
    documents = articles(bench.options.size(_ARTICLES), cast=unevenly(2500))
    return await compare(bench, Comparison(concurrency=128, documents=documents, stock_share=0.125))
