"""`python -m tests.integration.migrate.killed N …`: ragfleet, which dies before its Nth write."""

import os
import signal
import sys
from itertools import count
from typing import Any

from ops import cli
from ops.migrate import checkpoints
from ops.migrate.comparing import Comparison
from shared.ledger.documents import Documents
from worker.commit.apply.stores import Stores


def die_before(write: int) -> None:
    """Count writes, the last sync, the list and comparisons, and end like `kill -9`."""
    number = count(1)

    def counted(method: Any) -> Any:
        async def instead(*arguments: Any) -> Any:
            if next(number) == write:
                os.kill(os.getpid(), signal.SIGKILL)
            return await method(*arguments)

        return instead

    Stores._apply = counted(Stores._apply)  # type: ignore[method-assign]
    Stores.finish = counted(Stores.finish)  # type: ignore[method-assign]
    Comparison.compare = counted(Comparison.compare)  # type: ignore[method-assign]
    Documents.adopt = counted(Documents.adopt)  # type: ignore[method-assign]


if __name__ == "__main__":
    # The source of the tests is small; so that something is noted of it.
    checkpoints._OPERATIONS_A_CHECKPOINT = 1
    die_before(int(sys.argv.pop(1)))
    cli.main()
