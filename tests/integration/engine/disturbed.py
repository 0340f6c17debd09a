"""A commit with something of everything, its undisturbed twin, and a process to be disturbed."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.contract.names import TaskName
from shared.ids import DocumentId, PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.committer import Orders, send
from tests.integration.engine.contents import Contents, read_contents
from tests.integration.worker.fleet import Fleet

PROJECT = Path(__file__).parents[3]
FIRST = {
    "stays": "Marie Curie met Pierre Curie in Paris. Marie Curie worked in Paris. ",
    "changes": "Niels Bohr met Albert Einstein in Copenhagen. Marie Curie met Niels Bohr. ",
    "goes": "Albert Einstein met Marie Curie in Brussels. Pierre Curie was in Brussels. ",
}
SECOND = {
    "changes": "Niels Bohr founded an institute in Copenhagen with Margrethe Bohr. ",
    "new": "Albert Einstein met Niels Bohr in Brussels. Marie Curie met Hendrik Lorentz. ",
}
THIRD = {
    "new": "Hendrik Lorentz met Albert Einstein in Leiden. ",
    "last": "Marie Curie met Hendrik Lorentz in Leiden. ",
}


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


async def contents(fleet: Fleet, doc_ids: Any = ("stays", "changes", "new")) -> Contents:
    """Read what the workspace holds."""
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        return await read_contents(rag, doc_ids)


async def states(fleet: Fleet) -> set[TaskState]:
    """Return the states of all tasks of the workspace."""
    page = await fleet.context.ledger.tasks.page(workspace=fleet.workspace, limit=100)
    return {task.state for task in page.rows}


@dataclass
class Committer:
    """The process to be disturbed."""

    process: subprocess.Popen[bytes]
    log: Path

    async def reached(self) -> None:
        """Wait until it is at its point."""
        assert self.process.stdout is not None
        line = await asyncio.to_thread(self.process.stdout.readline)
        assert line == b"reached\n", await asyncio.to_thread(self.log.read_text)

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        code = await asyncio.to_thread(self.process.wait, 60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def wake(self) -> None:
        """Let it go on after SIGSTOP."""
        self.process.send_signal(signal.SIGCONT)


def start_committer(orders: Orders, log: Path) -> Committer:
    """Start the process; it commits at once."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.engine.committer"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdin is not None
    process.stdin.write(send(orders))
    process.stdin.close()
    return Committer(process, log)
