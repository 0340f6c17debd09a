"""`python -m tests.integration.migrate.killed_copy STEP …`: ragfleet, which dies before a step."""

import os
import signal
import sys
from typing import Any

from ops import cli
from ops.migrate.live import taking

STEPS = ("note_commits", "take_lease", "take_over", "read_new_replies")


def die_before(step: str) -> None:
    """End like `kill -9` where this step of a copy begins."""

    async def instead(*_arguments: Any, **_options: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(taking, step, instead)


if __name__ == "__main__":
    die_before(sys.argv.pop(1))
    cli.main()
