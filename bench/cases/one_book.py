"""One book of two thousand chunks: a single document keeps every worker busy, or it does not."""

from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import books, unevenly

NAME = "one_book"
_CHUNKS = 2000
# Stock would take ten minutes for the whole book, and has no other document to mix it with.
_STOCK_CHUNKS = 500


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads a book of a quarter of the size."""
    cast = unevenly(2500)
    whole, quarter = (
        books(1, chunks=bench.options.size(chunks), cast=cast)
        for chunks in (_CHUNKS, _STOCK_CHUNKS)
    )
    return await compare(
        bench, Comparison(concurrency=128, documents=whole, stock_documents=quarter)
    )
