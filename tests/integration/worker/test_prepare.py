"""Prepare and extract: what is done once, by whom, and what people see meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.contract.names import TaskName
from shared.contract.payloads import CommitWorkspace, ExtractBatch, PrepareDocument
from shared.ids import ObjectKey
from shared.ledger.records import TaskState
from tests.integration.worker.fleet import LARGE, POLL_S, Fleet


async def test_a_small_document_is_extracted_in_place_and_wakes_the_committer_once(
    fleet: Fleet,
) -> None:
    task = await fleet.upload()
    await fleet.deliver(only=TaskName.PREPARE)
    assert await fleet.state(task) is TaskState.READY
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]
    assert fleet.model.extractions == (await fleet.task(task)).chunks_total


async def test_a_large_document_fans_out_and_its_last_batch_wakes_the_committer(
    fleet: Fleet,
) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    assert await fleet.state(task) is TaskState.EXTRACTING
    messages = [m for m in fleet.sender.sent if isinstance(m, ExtractBatch)]
    assert len(messages) > 2
    assert [message.batch_index for message in messages] == list(range(len(messages)))
    fleet.lose_messages()
    for number, message in enumerate(messages, start=1):
        assert fleet.sender.sent == []
        await fleet.handle(message)
        now = await fleet.task(task)
        assert now.chunks_total is not None
        assert now.chunks_done == min(number * 4, now.chunks_total)
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]
    assert (now.state, fleet.model.extractions) == (TaskState.READY, now.chunks_total)


async def test_batches_that_end_at_once_wake_the_committer_once(fleet: Fleet) -> None:
    await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.deliver(only=TaskName.EXTRACT)
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]


async def test_a_repeated_message_does_nothing(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE)
    first = list(fleet.sender.sent)
    await fleet.deliver(only=TaskName.PREPARE)
    batches = list(fleet.sender.sent)
    await fleet.deliver()
    calls = fleet.model.extractions
    assert await fleet.state(task) is TaskState.SUCCEEDED
    for message in [*first, *batches, CommitWorkspace(workspace=fleet.workspace)]:
        await fleet.handle(message)
    assert (fleet.model.extractions, fleet.sender.sent) == (calls, [])
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_a_second_worker_finds_no_claim(fleet: Fleet) -> None:
    task = await fleet.upload()
    fleet.parser.open.clear()
    working = asyncio.create_task(fleet.handle(PrepareDocument(task_id=task.id)))
    await fleet.parser.called.wait()
    await fleet.another_worker().handle(PrepareDocument(task_id=task.id))  # returns at once
    fleet.parser.open.set()
    await working
    assert (await fleet.task(task)).lease_token == 1
    assert await fleet.state(task) is TaskState.READY


async def test_progress_grows_while_a_small_document_is_extracted(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE[:400])
    fleet.model.open.clear()
    fleet.model.free_calls = 1
    working = asyncio.create_task(fleet.deliver(only=TaskName.PREPARE))
    shown = await fleet.until(lambda now: now.chunks_done > 0, task)
    assert (shown.state, shown.chunks_done, shown.chunks_total) == (TaskState.PREPARING, 1, 3)
    fleet.model.open.set()
    await working
    assert (await fleet.task(task)).chunks_done == 3


async def test_progress_grows_inside_a_batch(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    first = next(m for m in fleet.sender.sent if isinstance(m, ExtractBatch))
    fleet.model.open.clear()
    fleet.model.free_calls = 1
    working = asyncio.create_task(fleet.handle(first))
    shown = await fleet.until(lambda now: now.chunks_done > 0, task)
    assert (shown.state, shown.chunks_done) == (TaskState.EXTRACTING, 1)
    fleet.model.open.set()
    await working
    assert (await fleet.task(task)).chunks_done == 4


async def test_a_document_that_went_smoothly_took_one_attempt(fleet: Fleet) -> None:
    small, large = await fleet.upload("small"), await fleet.upload("large", LARGE)
    await fleet.deliver()
    for task in (small, large):
        now = await fleet.task(task)
        assert (now.state, now.attempt, now.error_code) == (TaskState.SUCCEEDED, 1, None)


async def test_text_that_cleaning_leaves_nothing_of_is_refused_with_a_code(fleet: Fleet) -> None:
    task = await fleet.upload(text=" \x00 \n ")
    await fleet.deliver()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "no_text")


async def test_no_more_uploads_are_copied_than_are_read_at_a_time(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, most = 0, 0
    given = fleet.objects.as_file
    tasks = [await fleet.upload(f"doc{number}") for number in range(6)]

    @asynccontextmanager
    async def counted(key: ObjectKey) -> AsyncIterator[Path]:
        nonlocal copies, most
        async with given(key) as path:
            copies += 1
            most = max(most, copies)
            # Everybody is to come and want a copy, too.
            while TaskState.QUEUED in [await fleet.state(task) for task in tasks]:  # noqa: ASYNC110 - the ledger has no event
                await asyncio.sleep(POLL_S)
            yield path
            copies -= 1

    monkeypatch.setattr(fleet.objects, "as_file", counted)
    assert await fleet.deliver(only=TaskName.PREPARE) == len(tasks)
    assert most == 2
