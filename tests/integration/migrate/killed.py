"""`python -m tests.integration.migrate.killed N …`: ragfleet, which dies before its Nth write.

`N+FILE` in place of N: it waits before that write until the file is there. `N+2rows`: operations
have two rows at most, so that a small source is as long as a large one.
"""

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from ops import cli
from ops.migrate import checkpoints
from ops.migrate.comparing import Comparison
from shared.ledger.documents import Documents
from worker.commit import operations
from worker.commit.apply.stores import Stores


def stop_before(write: int, until: Path | None) -> None:
    """Count writes, the last sync, the list and comparisons, and end like `kill -9`, or wait."""
    number = count(1)

    def counted(method: Any) -> Any:
        async def instead(*arguments: Any, **named: Any) -> Any:
            if next(number) == write:
                if until is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                until.with_suffix(".reached").touch()
                while not until.exists():  # noqa: ASYNC110, ASYNC240 - the test makes it
                    await asyncio.sleep(0.05)
            return await method(*arguments, **named)

        return instead

    Stores._apply = counted(Stores._apply)  # type: ignore[method-assign]
    Stores.finish = counted(Stores.finish)  # type: ignore[method-assign]
    Comparison.compare = counted(Comparison.compare)  # type: ignore[method-assign]
    Documents.adopt = counted(Documents.adopt)  # type: ignore[method-assign]


if __name__ == "__main__":
    # The source of the tests is small; so that something is noted of it.
    checkpoints._OPERATIONS_A_CHECKPOINT = 1
    which, _, file = sys.argv.pop(1).partition("+")
    if file.endswith("rows"):  # so many rows an operation: a small source becomes a long one
        operations._ROWS, file = int(file.removesuffix("rows")), ""
    stop_before(int(which), Path(file) if file else None)
    cli.main()
