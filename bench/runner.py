"""Runs cases one after the other over the same stores; a case that fails does not stop the rest."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bench.cases import (
    commit_alone,
    few_books,
    hub_heavy,
    large_graph,
    many_calls,
    migration,
    mixed_corpus,
    one_book,
    one_chunk_articles,
    queries,
    scaling,
    sixteen_calls,
    stock_settings,
    worker_memory,
)
from bench.ground import laid_ground
from bench.measure.machine import machine, versions
from bench.options import Bench, Options

Case = Callable[[Bench], Awaitable[dict[str, Any]]]

_MODULES = (
    stock_settings,
    sixteen_calls,
    many_calls,
    one_chunk_articles,
    few_books,
    one_book,
    mixed_corpus,
    hub_heavy,
    commit_alone,
    large_graph,
    scaling,
    queries,
    worker_memory,
    migration,
)
CASES: dict[str, Case] = {module.NAME: module.run for module in _MODULES}
QUICK = (sixteen_calls.NAME, many_calls.NAME)
# The longest case takes a quarter of this on an idle machine of two cores.
_CASE_TIMEOUT_S = 3600.0


async def run_cases(
    names: Sequence[str], options: Options, *, on_case: Callable[[dict[str, Any]], None]
) -> None:
    """Measure the named cases; `on_case` gets everything found so far after each of them."""
    result: dict[str, Any] = {
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "settings": asdict(options) | {"corpus": "given" if options.corpus else None},
        "cases": {},
    }
    async with laid_ground({options.graph}) as ground:
        for name in names:
            started_s = time.monotonic()
            found = await _run(CASES[name], Bench(ground, options))
            found["took_s"] = round(time.monotonic() - started_s, 1)
            # A page may be put together of several runs: each case says what it was measured on.
            found |= {part: result[part] for part in ("started_at", "machine", "versions")}
            found["options"] = result["settings"]
            result["cases"][name] = found
            print(f"{name}: {found['took_s']} s {found.get('error', '')}", flush=True)
            on_case(result)


async def _run(case: Case, bench: Bench) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_CASE_TIMEOUT_S):
            return await case(bench)
    except Exception as error:  # noqa: BLE001 - the other cases' figures are worth having
        return {"error": f"{type(error).__name__}: {error}"}
