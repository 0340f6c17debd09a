"""A committer in a process of its own that stops, or dies, at one point of its commits.

`python -m tests.integration.engine.committer` reads orders from standard input, a line each, and
forks a process that carries them out. It says `started <pid>`, `reached` when the process is at its
point, and `ended <exit code>`.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from shared.contract.payloads import CommitWorkspace
from shared.ids import WorkspaceName
from shared.logs import configure_logs
from shared.rag.tokenizer import shared_tokenizer
from tests.integration.engine.sabotage import Countdown, Point, sabotage, say
from tests.integration.engine.shapes import open_context
from worker.commit.apply import neo4j, postgres, redis
from worker.commit.heartbeat import Heartbeat
from worker.commit.workspace import commit_workspace

LIGHTRAGS_STORES = ("neo4j", "postgres", "redis")


@dataclass(frozen=True)
class Orders:
    """What the process is to do."""

    variables: Mapping[str, str]
    workspace: str
    point: str = ""
    """Empty: nothing stops it there."""
    signal: int = signal.SIGKILL
    fenced: bool = True
    beating: bool = True
    """Whether the heartbeat may notice that the lease is lost."""
    steps: int = 0
    """It kills itself after so many steps; 0: not."""
    delay_s: float = 0.0
    """So long after that step it does."""


def take_fences_down() -> None:
    """Write whoever holds the lease: what the fences are there to prevent."""

    async def no_check(*_arguments: Any) -> None:
        return None

    redis._WRITE = redis._WRITE.replace("~= ARGV[1]", "== 'nobody'")
    redis._FINISH = redis._FINISH.replace("~= ARGV[1]", "== 'nobody'")
    neo4j._require_row = no_check  # type: ignore[assignment] # it always lets through
    postgres._HOLD = "SELECT 1 WHERE $1 <> '' AND $2 > 0"


def stop_heartbeat() -> None:
    """Let nothing but the stores tell that the lease is lost."""
    Heartbeat.run = lambda _self: None  # type: ignore[method-assign] # its thread ends at once


async def run(orders: Orders) -> None:
    async with open_context(orders.variables) as (context, *_):
        await commit_workspace(CommitWorkspace(workspace=WorkspaceName(orders.workspace)), context)


def send(orders: Orders) -> bytes:
    """Write orders down for the process."""
    return json.dumps(asdict(orders)).encode() + b"\n"


def carry_out(orders: Orders) -> None:
    configure_logs(level="warning", form="json")
    if not orders.fenced:
        take_fences_down()
    if not orders.beating:
        stop_heartbeat()
    if orders.point:
        sabotage(Point(orders.point, signal.Signals(orders.signal)))
    if orders.steps:
        sabotage(Countdown(orders.steps, orders.delay_s))
    asyncio.run(run(orders))


def load_once() -> None:
    """Load what every one of them would load for itself, which takes longer than the commit."""
    for name in ("alembic.command", *(f"lightrag.kg.{one}_impl" for one in LIGHTRAGS_STORES)):
        import_module(name)
    shared_tokenizer().encode("")


def main() -> None:
    load_once()
    for line in sys.stdin.buffer:
        pid = os.fork()
        if pid == 0:
            try:
                carry_out(Orders(**json.loads(line)))
            except BaseException:  # noqa: BLE001 - the edge of a process
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        say("started", pid)
        _, status = os.waitpid(pid, 0)
        say("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
