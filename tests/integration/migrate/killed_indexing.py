"""`python -m tests.integration.migrate.killed_indexing …`: ragfleet, dead before it makes an index.

Few vectors are many here.
"""

import os
import signal
from typing import Any

from ops import cli
from worker.commit.apply import postgres_vectors
from worker.commit.apply.postgres_vectors import VectorFilling


def die_at_an_index() -> None:
    async def build(*_arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    VectorFilling._build = build  # type: ignore[method-assign]


if __name__ == "__main__":
    postgres_vectors._MANY_VECTORS = 0
    die_at_an_index()
    cli.main()
