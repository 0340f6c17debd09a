"""A Redis dies while a worker has its messages in hand: the worker waits for it, and goes on."""

import os
import secrets
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.local.ports import free_port
from ops.local.valkey import EmbeddedValkey
from shared.ledger.records import TaskState
from tests.integration.worker.processes import Stack
from tests.services import start

if TYPE_CHECKING:
    from ops.local.process import ChildProcess

HANGING_TASKS = 4


class Broker:
    """A Valkey of one test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedValkey(folder, free_port(), password=secrets.token_hex(8))
        self._child: ChildProcess | None = None

    async def start(self) -> None:
        self._child = await start(self.server)

    async def kill(self) -> None:
        assert self._child is not None
        assert self._child.pid is not None
        os.kill(self._child.pid, signal.SIGKILL)
        await self._child.wait()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()


@pytest.fixture
async def broker(open_folder: Path) -> AsyncIterator[Broker]:
    opened = Broker(open_folder)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def fresh_valkey(broker: Broker) -> str:
    """In place of the one that all tests share."""
    return broker.server.url()


@pytest.mark.long
async def test_a_worker_outlives_a_broker_that_dies_with_its_messages_in_hand(
    stack: Stack, broker: Broker
) -> None:
    stack.models.hanging = True
    worker = await stack.worker()
    tasks = [
        await stack.upload(f"doc{number}", f"Person{number} Smith met Ann Lee in Oslo. ")
        for number in range(HANGING_TASKS)
    ]
    await stack.until(lambda: len(stack.models.chats) >= HANGING_TASKS)
    await broker.kill()
    await broker.start()
    await stack.until(lambda: worker.log.read_text().count("Connected to redis://") > 1)
    # What ends now is acknowledged on the connection that is gone.
    stack.models.hanging = False
    ended = await stack.end(tasks)
    assert {task.state for task in ended} == {TaskState.SUCCEEDED}
    [later] = await stack.end([await stack.upload("later")])
    assert later.state is TaskState.SUCCEEDED
    assert worker.process.poll() is None, worker.log.read_text()
