"""Two thousand chunks in four books."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import books, unevenly

NAME = "few_books"
_BOOKS = 4
_CHUNKS_A_BOOK = 500


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads one of them."""
    chunks = bench.options.size(_CHUNKS_A_BOOK)
    documents = books(_BOOKS, chunks=chunks, cast=unevenly(2500))
    return await compare(bench, Comparison(concurrency=128, documents=documents, stock_share=0.25))
