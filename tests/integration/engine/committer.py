"""A committer in a process of its own that stops, or dies, at one point of its first commit.

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
from typing import Any

from shared.contract.payloads import CommitWorkspace
from shared.ids import WorkspaceName
from shared.ledger.journals import Journals
from shared.logs import configure_logs
from tests.integration.engine.shapes import open_context
from worker.commit.apply import neo4j, postgres, redis
from worker.commit.apply.files import FilesStore
from worker.commit.apply.neo4j import Neo4jStore
from worker.commit.apply.postgres import PostgresStore
from worker.commit.apply.redis import RedisStore
from worker.commit.heartbeat import Heartbeat
from worker.commit.operations import Operation
from worker.commit.workspace import commit_workspace

KINDS = [
    "put_rows", "put_nodes", "put_edges", "put_vectors", "remove_vectors", "remove_edges",
    "remove_nodes", "remove_rows", "put_status", "remove_status",
]  # fmt: skip
POINTS = ["journal.write", "journal.written", *KINDS, "finish", "close", "closed"]
"""In the order of a commit; a kind is between the look at the fence and the write."""


@dataclass(frozen=True)
class Orders:
    """What the process is to do."""

    variables: Mapping[str, str]
    workspace: str
    point: str = ""
    """Empty: it is killed from outside, if at all."""
    signal: int = signal.SIGKILL
    fenced: bool = True
    beating: bool = True
    """Whether the heartbeat may notice that the lease is lost."""


class Point:
    """Sends this process a signal when it comes to a point for the first time."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number
        self._passed = False

    def reached(self, name: str) -> None:
        if name == self._name and not self._passed:
            self._passed = True
            say("reached")
            os.kill(os.getpid(), self._number)


def before_and_after(point: Point, owner: type, method: str, before: str, after: str) -> None:
    original = getattr(owner, method)

    async def wrapped(*arguments: Any, **options: Any) -> Any:
        point.reached(before)
        result = await original(*arguments, **options)
        point.reached(after)
        return result

    setattr(owner, method, wrapped)


def sabotage(point: Point) -> None:
    """Put the point into the commit."""
    before_and_after(point, Journals, "write", "journal.write", "journal.written")
    before_and_after(point, Journals, "close", "close", "closed")
    for store in (RedisStore, Neo4jStore, PostgresStore, FilesStore):
        before_and_after(point, store, "finish", "finish", "finished")
    # Redis looks and writes in one script: nothing is in between.
    before_and_after_operation(point, RedisStore, "apply")
    # A folder has no fence: one process works on it.
    before_and_after_operation(point, FilesStore, "apply")
    # PostgreSQL looks first in the transaction in which it writes then.
    before_and_after_operation(point, PostgresStore, "_apply")
    between_check_and_write(point)


def before_and_after_operation(point: Point, owner: type, method: str) -> None:
    original = getattr(owner, method)

    async def wrapped(self: Any, operation: Operation, *arguments: Any) -> None:
        point.reached(operation.kind.value)
        await original(self, operation, *arguments)

    setattr(owner, method, wrapped)


def between_check_and_write(point: Point) -> None:
    """Neo4j looks and writes in two queries of one transaction."""
    check, apply = neo4j._require_row, Neo4jStore.apply
    current: list[str] = []

    async def checked(transaction: Any, query: str, parameters: dict[str, Any]) -> None:
        await check(transaction, query, parameters)
        if current:
            point.reached(current[0])

    async def applied(self: Neo4jStore, operation: Operation) -> None:
        current[:] = [operation.kind.value]
        await apply(self, operation)
        current.clear()

    neo4j._require_row = checked  # type: ignore[assignment] # the same, and then the point
    Neo4jStore.apply = applied  # type: ignore[method-assign] # as above


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


def say(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def carry_out(orders: Orders) -> None:
    configure_logs(level="warning", form="json")
    if not orders.fenced:
        take_fences_down()
    if not orders.beating:
        stop_heartbeat()
    if orders.point:
        sabotage(Point(orders.point, signal.Signals(orders.signal)))
    asyncio.run(run(orders))


def main() -> None:
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
