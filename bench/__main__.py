"""`python -m bench`: runs the cases and writes the JSON, the table and the picture."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.options import Options
from bench.report.page import Page
from bench.runner import CASES, QUICK, run_cases
from bench.systems.stores import NEO4J, PG_GRAPH

_DEFAULT_FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"


def main() -> None:
    """Read the arguments, measure, write; the JSON's path is the last line printed."""
    arguments = _arguments()
    options = Options(graph=arguments.graph, corpus=arguments.corpus, divisor=arguments.divisor)
    names = QUICK if arguments.quick else arguments.cases.split(",")
    page = Page(arguments.out, "quick" if arguments.quick else "full", keeps=arguments.add)
    try:
        asyncio.run(_run(names, options, page))
    except asyncio.CancelledError:
        sys.exit("stopped; what was measured by then is written")
    print(page.path)
    sys.exit(f"failed: {', '.join(page.failed)}" if page.failed else 0)


async def _run(names: Sequence[str], options: Options, page: Page) -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - asyncio.run made one
    for number in (signal.SIGTERM, signal.SIGINT):
        # Cancelled, everything is stopped and removed on the way out.
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    await run_cases(names, options, on_case=page.write)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, smaller")
    parser.add_argument("--cases", default=",".join(CASES), help="default: all of them")
    parser.add_argument("--graph", choices=(NEO4J, PG_GRAPH), default=NEO4J)
    parser.add_argument("--corpus", type=Path, help="a folder of real texts for mixed_corpus")
    parser.add_argument("--out", type=Path, default=_DEFAULT_FOLDER)
    parser.add_argument("--add", action="store_true", help="keep the other cases of the JSON")
    parser.add_argument("--divisor", type=int, default=1, help="try the harness itself: less work")
    arguments = parser.parse_args()
    unknown = set(arguments.cases.split(",")) - set(CASES)
    if unknown:
        parser.error(f"--cases: there is no {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    main()
