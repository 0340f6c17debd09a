"""What tells a test of the steps of a commit, and two ways to end a process at one of them."""

import os
import signal
import threading
from typing import Any, Protocol

from shared.ledger.journals import Journals
from shared.ledger.tasks import Tasks
from worker.commit import turn
from worker.commit.apply import neo4j
from worker.commit.apply.files import FilesStore
from worker.commit.apply.neo4j import Neo4jStore
from worker.commit.apply.postgres import PostgresStore
from worker.commit.apply.redis import RedisStore
from worker.commit.operations import Operation

KINDS = [
    "put_rows", "put_nodes", "put_edges", "put_vectors", "remove_vectors", "remove_edges",
    "remove_nodes", "remove_rows", "put_status", "remove_status",
]  # fmt: skip
POINTS = ["journal.write", "journal.written", *KINDS, "finish", "close", "closed"]
"""In the order of a commit; a kind is between the look at the fence and the write."""


class Watch(Protocol):
    """What is told of every step."""

    def reached(self, name: str) -> None: ...


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


class Countdown:
    """Kills this process some time after so many steps, of whatever kind they are."""

    def __init__(self, steps: int, delay_s: float) -> None:
        self._left = steps
        self._delay_s = delay_s

    def reached(self, name: str) -> None:
        del name
        self._left -= 1
        if self._left:
            return
        if not self._delay_s:
            die()
        timer = threading.Timer(self._delay_s, die)
        timer.daemon = True
        timer.start()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_and_after(point: Watch, owner: object, method: str, before: str, after: str) -> None:
    original = getattr(owner, method)

    async def wrapped(*arguments: Any, **options: Any) -> Any:
        point.reached(before)
        result = await original(*arguments, **options)
        point.reached(after)
        return result

    setattr(owner, method, wrapped)


def sabotage(point: Watch) -> None:
    """Let it be told of every step of a commit."""
    before_and_after(point, Tasks, "gather_commits", "gather", "gathered")
    before_and_after(point, turn, "merge_group", "merge", "merged")
    before_and_after(point, Journals, "write", "journal.write", "journal.written")
    before_and_after(point, Journals, "close", "close", "closed")
    for store in (RedisStore, Neo4jStore, PostgresStore, FilesStore):
        before_and_after(point, store, "raise_fence", "raise_fence", "fenced")
        before_and_after(point, store, "finish", "finish", "finished")
    # Redis looks and writes in one script: nothing is in between.
    before_and_after_operation(point, RedisStore, "apply")
    # A folder has no fence: one process works on it.
    before_and_after_operation(point, FilesStore, "apply")
    # PostgreSQL looks first in the transaction in which it writes then.
    before_and_after_operation(point, PostgresStore, "_apply")
    between_check_and_write(point)


def before_and_after_operation(point: Watch, owner: type, method: str) -> None:
    original = getattr(owner, method)

    async def wrapped(self: Any, operation: Operation, *arguments: Any) -> None:
        point.reached(operation.kind.value)
        await original(self, operation, *arguments)

    setattr(owner, method, wrapped)


def between_check_and_write(point: Watch) -> None:
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


def say(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).encode() + b"\n")
