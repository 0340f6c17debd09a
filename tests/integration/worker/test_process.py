"""Stopping a real worker process: what it was doing goes back, and it is gone in time."""

import json
import signal
import subprocess
import sys
import time

import pytest

from shared.contract.names import QueueName
from shared.ledger.records import Task, TaskState
from tests.integration.worker.fleet import LARGE
from tests.integration.worker.processes import Stack, Worker
from worker.celery_options import DRAIN_S

HANGING_TASKS = 8
# Five to drain, and what a busy machine needs to close everything.
EXIT_LIMIT_S = 20


async def busy_worker(stack: Stack) -> tuple[Worker, list[Task]]:
    """A worker all of whose tasks hang in the model."""
    stack.models.hanging = True
    worker = await stack.worker()
    tasks = [
        await stack.upload(f"doc{number}", f"Person{number} Smith met Ann Lee in Oslo. ")
        for number in range(HANGING_TASKS)
    ]
    await stack.until(lambda: len(stack.models.chats) >= HANGING_TASKS)
    return worker, tasks


async def _expect_handed_back(stack: Stack, tasks: list[Task]) -> None:
    for task in tasks:
        now = await stack.ledger.tasks.get(task.id)
        assert (now.state, now.strikes) == (TaskState.QUEUED, 0)
        assert now.error_code == "stage_interrupted"
    assert await stack.sender.depth(QueueName.PREPARE) == len(tasks)


def _committed(worker: Worker) -> int:
    """Count the tasks of the groups that a worker noted."""
    whole = worker.log.read_text().rpartition("\n")[0]
    groups = [json.loads(line) for line in whole.splitlines() if "group_committed" in line]
    return sum(group["tasks"] for group in groups)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="TERM"),
        pytest.param(signal.SIGQUIT, id="QUIT", marks=pytest.mark.long),
    ],
)
async def test_a_stopped_worker_drains_hands_its_tasks_back_and_is_gone(
    stack: Stack, number: signal.Signals
) -> None:
    worker, tasks = await busy_worker(stack)
    worker.signal(number)
    took_s = await worker.ended_within(EXIT_LIMIT_S)
    assert took_s >= DRAIN_S - 0.5  # tasks that end within the drain are not thrown away
    await _expect_handed_back(stack, tasks)
    stack.models.hanging = False
    await stack.worker()
    ended = await stack.end(tasks)
    assert {(task.state, task.attempt) for task in ended} == {(TaskState.SUCCEEDED, 2)}


@pytest.mark.long
async def test_a_second_signal_hurries(stack: Stack) -> None:
    worker, tasks = await busy_worker(stack)
    worker.signal(signal.SIGTERM)
    await worker.says("worker_draining")
    asked_again_at_s = time.monotonic()
    worker.signal(signal.SIGTERM)
    await worker.says("worker is stopping")
    assert time.monotonic() - asked_again_at_s < DRAIN_S - 1
    await worker.ended_within(EXIT_LIMIT_S)
    await _expect_handed_back(stack, tasks)


async def test_a_task_that_ends_while_the_worker_drains_is_kept(stack: Stack) -> None:
    worker, tasks = await busy_worker(stack)
    worker.signal(signal.SIGTERM)
    await worker.says("worker_draining")
    stack.models.hanging = False
    await worker.ended_within(EXIT_LIMIT_S)
    assert await stack.states(tasks) <= {TaskState.READY, TaskState.COMMITTING, TaskState.SUCCEEDED}


@pytest.mark.long
async def test_after_a_kill_everything_comes_to_its_end_once(stack: Stack) -> None:
    worker, tasks = await busy_worker(stack)
    tasks.append(await stack.upload("large", LARGE * 4))
    worker.signal(signal.SIGKILL)
    await worker.ended_within(EXIT_LIMIT_S)
    stack.models.hanging = False
    second = await stack.worker()
    ended = await stack.end(tasks)
    assert {task.state for task in ended} == {TaskState.SUCCEEDED}
    # A group is noted after its tasks have ended.
    await stack.until(lambda: _committed(second) >= len(tasks))
    assert _committed(second) == len(tasks)


async def test_a_database_that_goes_away_in_a_stage_loses_nothing(stack: Stack) -> None:
    worker, tasks = await busy_worker(stack)
    async with stack.ledger.database.reading() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    stack.models.hanging = False
    ended = await stack.end(tasks)
    assert {task.state for task in ended} == {TaskState.SUCCEEDED}
    assert worker.process.poll() is None


def test_a_queue_that_does_not_exist_is_refused_in_one_sentence() -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "worker", "--queues", "prepare,comit"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "there is no queue comit" in refused.stderr
