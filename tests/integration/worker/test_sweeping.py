"""Sweeper and cleaner: lost messages come again, dead workers' work goes back, rubbish goes."""

import pytest

from shared.contract.names import TaskName
from shared.contract.payloads import (
    CommitWorkspace,
    ExtractBatch,
    Payload,
    PrepareDocument,
)
from shared.ids import ObjectKey, TaskId
from shared.ledger.records import GroupBounds, TaskState
from tests.integration.worker.fleet import LARGE, Fleet, one_chunk

SOME_TIME_MS = 60_000  # longer than a message may be under way, shorter than it may wait in line
LONG_MS = 3_600_000


async def age_messages(fleet: Fleet, by_ms: int) -> None:
    async with fleet.context.ledger.database.writing() as connection:
        for table in ("tasks", "batches"):
            await connection.exec_driver_sql(
                f"UPDATE {table} SET message_sent_at_ms = message_sent_at_ms - {by_ms}"  # noqa: S608 - a number
            )


def kinds(messages: list[Payload]) -> set[TaskName]:
    return {message.name for message in messages}


async def test_a_lost_prepare_message_is_sent_again_soon(fleet: Fleet) -> None:
    task = await fleet.upload()
    fleet.lose_messages()
    await fleet.sweep()
    assert fleet.sender.sent == []  # it may be on its way
    await age_messages(fleet, SOME_TIME_MS)
    await fleet.sweep()
    assert [type(message) for message in fleet.sender.sent] == [PrepareDocument]
    await fleet.sweep()
    assert len(fleet.sender.sent) == 1
    await fleet.deliver()
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_while_a_queue_is_full_its_messages_count_as_lost_later(fleet: Fleet) -> None:
    await fleet.upload("one")
    await fleet.upload("two")
    await age_messages(fleet, SOME_TIME_MS)
    await fleet.sweep()
    assert len(fleet.sender.sent) == 2
    await age_messages(fleet, LONG_MS)
    await fleet.sweep()
    assert len(fleet.sender.sent) == 4


async def test_lost_batches_are_sent_again_soon(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    count = len(fleet.lose_messages())
    await fleet.sweep()
    assert fleet.sender.sent == []
    await age_messages(fleet, SOME_TIME_MS)
    await fleet.sweep()
    assert [type(message) for message in fleet.sender.sent] == [ExtractBatch] * count
    await fleet.deliver()
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_a_lost_wake_up_of_the_committer_is_sent_again(fleet: Fleet) -> None:
    task = await fleet.upload()
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.lose_messages()
    await fleet.sweep()
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]
    await fleet.deliver()
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_a_busy_workspace_does_not_hide_another_ones_lost_wake_up(fleet: Fleet) -> None:
    await fleet.upload()
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.lose_messages()
    busy = CommitWorkspace(workspace=type(fleet.workspace)("busy"))
    await fleet.sender.send(busy)
    await fleet.sweep()
    assert CommitWorkspace(workspace=fleet.workspace) in fleet.sender.sent


async def test_work_that_a_broker_outage_kept_back_completes_when_it_is_over(fleet: Fleet) -> None:
    small, large = await fleet.upload("small"), await fleet.upload("large", LARGE)
    fleet.sender.available = False
    for message in fleet.lose_messages():
        await fleet.handle(message)
    assert await fleet.state(small) is TaskState.READY
    assert await fleet.state(large) is TaskState.EXTRACTING
    await fleet.sweep()
    during = await fleet.upload("during")
    fleet.sender.available = True
    await fleet.sweep()
    assert kinds(fleet.sender.sent) == {TaskName.PREPARE, TaskName.EXTRACT, TaskName.COMMIT}
    await fleet.deliver()
    for task in (small, large, during):
        assert await fleet.state(task) is TaskState.SUCCEEDED


@pytest.mark.parametrize("losses", [1, 3])
async def test_a_task_goes_back_with_a_strike_until_its_budget_is_spent(
    fleet: Fleet, losses: int
) -> None:
    task = await fleet.upload()
    for _ in range(losses):
        await _claim_and_die(fleet, task.id)
        await fleet.sweep()
    now = await fleet.task(task)
    assert now.strikes == losses
    if losses < fleet.context.settings.limits.max_attempts:
        await fleet.run_until_quiet()
        now = await fleet.task(task)
        assert (now.state, now.attempt, now.strikes) == (TaskState.SUCCEEDED, 2, 0)
    else:
        assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")


async def _claim_and_die(fleet: Fleet, task_id: TaskId) -> None:
    claim = await fleet.context.ledger.tasks.claim(task_id, holder="dying", ttl_ms=LONG_MS)
    assert claim is not None
    await fleet.let_leases_expire()


@pytest.mark.parametrize("losses", [1, 3])
async def test_a_batch_goes_back_with_a_strike_until_its_budget_is_spent(
    fleet: Fleet, losses: int
) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    attempt = (await fleet.task(task)).prepare_attempt
    for _ in range(losses):
        claim = await fleet.context.ledger.batches.claim(
            task.id, attempt, index=0, holder="dying", ttl_ms=LONG_MS
        )
        assert claim is not None
        await fleet.let_leases_expire()
        await fleet.sweep()
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    if losses < fleet.context.settings.limits.max_attempts:
        assert now.state is TaskState.SUCCEEDED
    else:
        assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")


async def test_a_document_its_committers_die_of_is_given_up(fleet: Fleet) -> None:
    poison = await fleet.upload("a")
    await fleet.deliver(only=TaskName.PREPARE)
    # Not before the poison is ready: whoever was prepared first is committed first.
    good = await fleet.upload("b")
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.lose_messages()
    deaths = fleet.context.settings.limits.max_attempts
    for _ in range(deaths):
        lease = await fleet.context.ledger.workspaces.take_commit_lease(
            fleet.workspace, holder="dying", ttl_ms=LONG_MS
        )
        assert lease is not None
        bounds = GroupBounds(tasks=100, chunks=1000)
        group = await fleet.context.ledger.tasks.gather_commits(lease, bounds)
        assert group[0].id == poison.id
        await fleet.let_leases_expire()
    await fleet.run_until_quiet()
    now = await fleet.task(poison)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert await fleet.state(good) is TaskState.SUCCEEDED


async def test_orphan_uploads_go_after_an_hour_and_referenced_ones_never(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = await fleet.upload("committed")
    await fleet.deliver()
    waiting = await fleet.upload("waiting")
    fresh, old = ObjectKey("uploads/fresh"), ObjectKey("uploads/old")
    await fleet.objects.put(old, one_chunk(b"x"))
    ages = fleet.objects._written_at_s
    for key in list(ages):
        ages[key] -= 3700
    await fleet.objects.put(fresh, one_chunk(b"x"))
    await fleet.clean()
    assert set(fleet.objects.objects) == {committed.object_key, waiting.object_key, fresh}


async def test_tasks_nobody_can_ask_back_go_after_their_time(fleet: Fleet) -> None:
    versions: list[TaskId] = []
    for number in range(3):
        versions.append((await fleet.upload(text=f"Marie Curie met Person{number}. ")).id)
        await fleet.deliver()
    async with fleet.context.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE tasks SET finished_at_ms = 1")
    await fleet.clean()
    left = (await fleet.context.ledger.tasks.page(limit=10)).rows
    assert [task.id for task in left] == versions[-1:]
