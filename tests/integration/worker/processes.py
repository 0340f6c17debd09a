"""Real worker processes over real servers, with a model endpoint that obeys the test."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.contract.celery_sender import CelerySender
from shared.contract.names import QueueName
from shared.contract.payloads import PrepareDocument, Sweep
from shared.ids import DEFAULT_WORKSPACE, DocumentId, ObjectKey
from shared.ledger.ledger import Ledger
from shared.ledger.records import NewUpload, Task, TaskState
from shared.objects.factory import open_objects
from shared.settings import Settings
from tests.integration.worker.fleet import SMALL, one_chunk
from tests.model_server import ModelServer

PROJECT = Path(__file__).parents[3]
START_TIMEOUT_S = 60  # ten times what it takes on an idle machine
POLL_S = 0.05


@dataclass
class Worker:
    """One `python -m worker`."""

    process: subprocess.Popen[bytes]
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended_within(self, limit_s: float) -> float:
        """Wait for its end; answers how long that took, in seconds."""
        began_at_s = time.monotonic()
        await asyncio.to_thread(self.process.wait, limit_s)
        return time.monotonic() - began_at_s

    async def says(self, words: str) -> None:
        """Wait until the log has these words."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while words not in (said := await asyncio.to_thread(self.log.read_text)):
                assert self.process.poll() is None, said
                await asyncio.sleep(POLL_S)


@dataclass
class Stack:
    """The servers, and what a test does with the workers on them."""

    settings: Settings
    variables: Mapping[str, str]
    ledger: Ledger
    sender: CelerySender
    models: ModelServer
    folder: Path
    started: list[Worker] = field(default_factory=list)

    async def worker(self, *queues: QueueName, **variables: str) -> Worker:
        """Start a worker, for all queues unless some are named, and wait until it serves."""
        log = self.folder / f"worker-{len(self.started)}.log"
        environment = {**os.environ, **self.variables, **variables}  # noqa: TID251 - a child inherits PATH
        serving = ",".join(queues or QueueName)
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
                [sys.executable, "-m", "worker", "--queues", serving],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=output,
            )
        worker = Worker(process, log)
        self.started.append(worker)
        await worker.says("ready.")
        return worker

    async def upload(self, doc_id: str, text: str = SMALL) -> Task:
        key = ObjectKey(f"{doc_id}.txt")
        stored = await open_objects(self.settings).put(key, one_chunk(text.encode()))
        accepted = await self.ledger.documents.accept(
            NewUpload(
                workspace=DEFAULT_WORKSPACE,
                doc_id=DocumentId(doc_id),
                object_key=key,
                file_name=f"{doc_id}.txt",
                content_type="text/plain",
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                idempotency_key=None,
                request_id=None,
            )
        )
        await self.sender.send(PrepareDocument(task_id=accepted.task.id))
        await self.ledger.tasks.mark_sent(accepted.task.id)
        return accepted.task

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 60) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - no event crosses processes
                await asyncio.sleep(POLL_S)

    async def end(self, tasks: list[Task], *, timeout_s: float = 80) -> list[Task]:
        """Sweep, as beat would, until all tasks have ended."""
        async with asyncio.timeout(timeout_s):
            while True:
                now = [await self.ledger.tasks.get(task.id) for task in tasks]
                if all(task.state.is_final for task in now):
                    return now
                await self.sender.send(Sweep())
                await asyncio.sleep(1)

    async def states(self, tasks: list[Task]) -> set[TaskState]:
        return {(await self.ledger.tasks.get(task.id)).state for task in tasks}


@asynccontextmanager
async def stopped_at_the_end(stack: Stack) -> AsyncIterator[Stack]:
    """Leave no worker behind."""
    try:
        yield stack
    finally:
        for worker in stack.started:
            worker.process.kill()
            worker.process.wait()
        await stack.sender.close()
        await stack.ledger.close()
