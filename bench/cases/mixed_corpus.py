"""Real texts of many kinds, from the folder `--corpus`; made ones where there is none."""

import asyncio
from typing import Any

from bench.comparison import Comparison, compare
from bench.options import Bench
from bench.workloads import folder, library, unevenly

NAME = "mixed_corpus"
_FILES = 300
_CHUNKS = 800


async def run(bench: Bench) -> dict[str, Any]:
    """Compare; stock reads a quarter."""
    options = bench.options
    if options.corpus is None:
        documents = library(options.size(_CHUNKS), cast=unevenly(3000), prefix="mixed")
    else:
        documents = await asyncio.to_thread(folder, options.corpus, options.size(_FILES))
    found = await compare(bench, Comparison(concurrency=128, documents=documents, stock_share=0.25))
    return {"texts": "made" if options.corpus is None else "real", **found}
