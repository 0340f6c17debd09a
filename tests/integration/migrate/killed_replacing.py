"""`python -m tests.integration.migrate.killed_replacing WHEN …`: ragfleet, which dies then."""

import os
import signal
import sys
from typing import Any

from ops import cli
from ops.migrate import replacing
from shared.ledger.workspaces import Workspaces


async def die(*_arguments: Any, **_options: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    match sys.argv.pop(1):
        case "emptied":  # the stores are empty, the ledger does not know yet
            Workspaces.finish_drop = die  # type: ignore[assignment]
        case "dropped":  # the ledger knows, nothing is filled
            end_drop = replacing._end_drop

            async def end_and_die(*arguments: Any) -> None:
                await end_drop(*arguments)
                await die()

            replacing._end_drop = end_and_die
    cli.main()
