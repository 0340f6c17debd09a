"""What a task used is in the ledger when its stage is over, however it ended."""

import asyncio
from dataclasses import replace

import pytest

from shared.contract.names import TaskName
from shared.errors import ModelUnavailableError
from shared.ledger.records import Task, TaskState
from shared.rag.calls import current_call
from tests.integration.worker.fleet import LARGE, SMALL, Fleet


class MeteredModel:
    """The obedient model behind a client that counts; may be away after some answers."""

    def __init__(self, fleet: Fleet) -> None:
        self.answers_left: int | None = None
        self.last_answered = asyncio.Event()
        self._fleet = fleet

    async def complete(self, *arguments: str, **options: object) -> object:
        if self.answers_left == 0:
            await self.last_answered.wait()
            raise ModelUnavailableError
        if self.answers_left is not None:
            self.answers_left -= 1
        is_last = self.answers_left == 0
        reply = await self._fleet.model.complete(*arguments, **options)
        meter = self._fleet.context.rags.meter
        meter.count(current_call(), "m", prompt_tokens=10, completion_tokens=1)
        if is_last:
            self.last_answered.set()
        return reply


@pytest.fixture
def model(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> MeteredModel:
    metered = MeteredModel(fleet)
    rags = fleet.context.rags
    monkeypatch.setattr(rags, "_models", replace(rags._models, complete=metered.complete))
    return metered


async def calls_in_ledger(fleet: Fleet, task: Task) -> int:
    rows = await fleet.context.ledger.usage.of_task(task.id)
    assert {row.purpose for row in rows} == {"extract"}
    return sum(row.used.calls for row in rows)


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["in place", "in batches"])
async def test_extraction_is_on_the_tasks_account(
    fleet: Fleet, model: MeteredModel, text: str
) -> None:
    task = await fleet.upload(text=text)
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.deliver(only=TaskName.EXTRACT)
    assert await fleet.state(task) is TaskState.READY
    assert await calls_in_ledger(fleet, task) == fleet.model.answered


async def test_so_is_what_a_failed_attempt_used(fleet: Fleet, model: MeteredModel) -> None:
    model.answers_left = 1
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.deliver(only=TaskName.EXTRACT)
    assert (await fleet.task(task)).error_code == "model_unavailable"
    assert await calls_in_ledger(fleet, task) == 1
