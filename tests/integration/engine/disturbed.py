"""A commit with something of everything, its undisturbed twin, and a process to be disturbed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.contract.names import TaskName
from shared.ids import DocumentId, PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.committer import Orders, send
from tests.integration.engine.contents import Contents, read_contents
from tests.integration.engine.sabotage import POINTS
from tests.integration.engine.shapes import another_workspace
from tests.integration.worker.fleet import Fleet

PROJECT = Path(__file__).parents[3]
FIRST = {
    "stays": "Marie Curie met Pierre Curie in Paris. Marie Curie worked in Paris. ",
    "changes": "Niels Bohr met Albert Einstein in Copenhagen. Marie Curie met Niels Bohr. ",
    "goes": "Albert Einstein met Marie Curie in Brussels. Ernest Solvay was in Brussels. ",
}
SECOND = {
    "changes": "Niels Bohr founded an institute in Copenhagen with Margrethe Bohr. ",
    "new": "Albert Einstein met Niels Bohr in Brussels. Marie Curie met Hendrik Lorentz. ",
}
THIRD = {
    "new": "Hendrik Lorentz met Albert Einstein in Leiden. ",
    "last": "Marie Curie met Hendrik Lorentz in Leiden. ",
}
AFTER_THE_SECOND = ("stays", "changes", "new")
AFTER_THE_THIRD = (*AFTER_THE_SECOND, "last")


def at_every_point(*, short: Collection[str]) -> pytest.MarkDecorator:
    """Run a test at every point of a commit: at the `short` ones always, at the others if long."""
    points = (
        point if point in short else pytest.param(point, marks=pytest.mark.long) for point in POINTS
    )
    return pytest.mark.parametrize("point", [*points])


async def prepared(fleet: Fleet, texts: Mapping[str, str]) -> None:
    """Bring documents to where the committer takes over, always in the same order."""
    for doc_id, text in texts.items():
        await fleet.upload(doc_id, text)
        await fleet.deliver(only=TaskName.PREPARE)
    fleet.lose_messages()


async def before_the_commit(fleet: Fleet) -> None:
    """Three documents are in; one is to be replaced, one to be removed, one to be added."""
    await prepared(fleet, FIRST)
    await fleet.commit()
    await prepared(fleet, SECOND)
    await fleet.context.ledger.documents.request_delete(
        fleet.workspace, DocumentId("goes"), request_id=None
    )


async def after_the_commit(fleet: Fleet) -> None:
    """And on it goes."""
    await prepared(fleet, THIRD)
    await fleet.commit()


async def contents(fleet: Fleet, doc_ids: Iterable[str]) -> Contents:
    """Read what the workspace holds."""
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        return await read_contents(rag, doc_ids)


async def states(fleet: Fleet) -> set[TaskState]:
    """Return the states of all tasks of the workspace."""
    page = await fleet.context.ledger.tasks.page(workspace=fleet.workspace, limit=100)
    return {task.state for task in page.rows}


class Committer:
    """A process that forks, at once, a committer that is to be disturbed: importing takes seconds.

    One at a time: begin, reached, (wake,) ended.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._pid: int | None = None
        with log.open("wb") as errors:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.engine.committer"],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    async def begin(self, orders: Orders) -> None:
        """Let one commit."""
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(send(orders))
        self._nursery.stdin.flush()
        self._pid = int(await self._line("started"))

    async def reached(self) -> None:
        """Wait until it is at its point."""
        await self._line("reached")

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        code = int(await self._line("ended"))
        self._pid = None
        return code

    def wake(self) -> None:
        """Let it go on after SIGSTOP."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it wherever it is."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)

    def remove(self) -> None:
        """End it, and what forked it."""
        if self._pid is not None:
            self.kill()
        for stream in (self._nursery.stdin, self._nursery.stdout):
            assert stream is not None
            stream.close()
        self._nursery.wait(60)

    async def _line(self, word: str) -> str:
        assert self._nursery.stdout is not None
        line = await asyncio.to_thread(self._nursery.stdout.readline)
        first, _, rest = line.decode().strip().partition(" ")
        assert first == word, (line, await asyncio.to_thread(self.log.read_text))
        return rest


@dataclass(frozen=True)
class Undisturbed:
    """What a workspace holds whose committer nobody disturbed."""

    after_the_second: Contents
    after_the_third: Contents


async def undisturbed_in(tier: Fleet) -> Undisturbed:
    """Do everything in a workspace of its own: contents are comparable across workspaces."""
    fleet = await another_workspace(tier)
    await before_the_commit(fleet)
    await fleet.commit()
    second = await contents(fleet, AFTER_THE_SECOND)
    await after_the_commit(fleet)
    return Undisturbed(second, await contents(fleet, AFTER_THE_THIRD))
