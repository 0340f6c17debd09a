"""What people ask of tasks: to stop and to try once more."""

import asyncio

import pytest

from shared.errors import TaskNotCancellableError, TaskNotFoundError, TaskNotRetryableError
from shared.ids import DEFAULT_WORKSPACE, TaskId
from shared.ledger.ledger import Ledger
from shared.ledger.records import DoneBatch, LeaseStatus, NewBatch, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps


async def test_what_nobody_works_on_is_cancelled_at_once(ledger: Ledger, steps: Steps) -> None:
    waiting = [
        await steps.queued("a"),
        (await steps.preparing("b", ttl_ms=GONE_MS)).task,
        await steps.extracting("c"),
        await steps.ready("d"),
    ]
    for task in waiting:
        cancelled = await ledger.tasks.request_cancel(task.id)
        assert (cancelled.state, cancelled.cancel_requested) == (TaskState.CANCELLED, False)
        assert cancelled.finished_at_ms is not None
        assert (await ledger.tasks.request_cancel(task.id)) == cancelled


async def test_a_worker_is_asked_to_stop(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    asked = await ledger.tasks.request_cancel(claim.task.id)
    assert (asked.state, asked.cancel_requested) == (TaskState.PREPARING, True)
    assert asked.finished_at_ms is None
    assert await ledger.tasks.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.CANCEL_REQUESTED
    await ledger.tasks.confirm_cancel(claim)
    assert await steps.state(claim.task.id) is TaskState.CANCELLED


@pytest.mark.parametrize("small", [True, False])
async def test_a_worker_that_finishes_after_being_asked_leaves_it_cancelled(
    ledger: Ledger, steps: Steps, *, small: bool
) -> None:
    claim = await steps.preparing()
    await ledger.tasks.request_cancel(claim.task.id)
    new = NewBatch(index=0, chunk_count=1, chunks=b"c")
    done = DoneBatch(index=0, chunk_count=1, chunks=b"c", result=b"r")
    handed_on = (
        ledger.tasks.make_ready(claim, batches_done=[done])
        if small
        else ledger.tasks.start_extracting(claim, batches=[new])
    )
    assert not await handed_on
    assert await steps.state(claim.task.id) is TaskState.CANCELLED
    assert await steps.count("SELECT count(*) FROM batches") == 0


async def test_a_cancel_nobody_asked_for_cannot_be_confirmed(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await ledger.tasks.confirm_cancel(claim)
    assert await steps.state(claim.task.id) is TaskState.PREPARING


async def test_a_worker_that_dies_after_being_asked_leaves_it_cancelled(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing()
    await ledger.tasks.request_cancel(claim.task.id)
    await ledger.tasks.renew(claim, ttl_ms=GONE_MS)
    assert await ledger.tasks.claim(claim.task.id, holder="other", ttl_ms=LONG_MS) is None
    [task] = await ledger.tasks.expire_leases(max_strikes=5, limit=10)
    assert task.state is TaskState.CANCELLED


async def test_a_worker_that_postpones_after_being_asked_leaves_it_cancelled(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing()
    await ledger.tasks.request_cancel(claim.task.id)
    await ledger.tasks.postpone(claim, delay_ms=0, error_code="x", error_detail="x", strike=False)
    assert await steps.state(claim.task.id) is TaskState.CANCELLED


async def test_what_is_being_committed_cannot_be_cancelled(ledger: Ledger, steps: Steps) -> None:
    lease, task, journal = await steps.committing()
    with pytest.raises(TaskNotCancellableError):
        await ledger.tasks.request_cancel(task.id)
    assert await ledger.journals.close(lease, journal)
    with pytest.raises(TaskNotCancellableError):
        await ledger.tasks.request_cancel(task.id)


async def test_claiming_and_cancelling_at_once_agree(ledger: Ledger, steps: Steps) -> None:
    for number in range(20):
        task = await steps.queued(f"doc-{number}")
        claim, _ = await asyncio.gather(
            ledger.tasks.claim(task.id, holder="w", ttl_ms=LONG_MS),
            ledger.tasks.request_cancel(task.id),
        )
        task = await ledger.tasks.get(task.id)
        if claim is None:
            assert task.state is TaskState.CANCELLED
        else:
            assert (task.state, task.cancel_requested) == (TaskState.PREPARING, True)


async def test_an_unknown_task_cannot_be_asked_anything(ledger: Ledger) -> None:
    for ask in (ledger.tasks.get, ledger.tasks.request_cancel, ledger.tasks.retry):
        with pytest.raises(TaskNotFoundError):
            await ask(TaskId("task-nothing"))


async def test_a_cancelled_delete_leaves_the_document(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    delete = await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
    await ledger.tasks.request_cancel(delete.id)
    await steps.commit_all()
    assert (await ledger.documents.get(DEFAULT_WORKSPACE, task.doc_id)).committed_revision == 1
    retried = await ledger.tasks.retry(delete.id)
    assert retried.state is TaskState.READY


async def test_a_failed_task_starts_over(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await ledger.tasks.mark_sent(claim.task.id)
    await ledger.tasks.fail(claim, error_code="x", error_detail="x")
    task = await ledger.tasks.retry(claim.task.id)
    assert (task.state, task.strikes, task.error_code) == (TaskState.QUEUED, 0, None)
    assert (task.started_at_ms, task.finished_at_ms) == (None, None)
    unsent = await ledger.tasks.unsent(older_than_ms=LONG_MS, limit=10)
    assert [one.id for one in unsent] == [task.id]
    again = await steps.claim(task.id)
    assert again.lease.token > claim.lease.token
    assert again.task.attempt > claim.task.attempt


async def test_a_cancelled_task_can_be_committed_after_a_retry(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting()
    await ledger.tasks.request_cancel(task.id)
    await ledger.tasks.retry(task.id)
    await steps.made_ready(await steps.claim(task.id))
    await steps.commit_all()
    assert await steps.state(task.id) is TaskState.SUCCEEDED


async def test_only_failed_and_cancelled_tasks_are_retried(ledger: Ledger, steps: Steps) -> None:
    for task in (await steps.committed("a"), await steps.queued("b"), await steps.ready("c")):
        with pytest.raises(TaskNotRetryableError):
            await ledger.tasks.retry(task.id)


async def test_a_task_with_a_newer_revision_is_not_retried(ledger: Ledger, steps: Steps) -> None:
    task = await steps.queued()
    await ledger.tasks.request_cancel(task.id)
    await steps.queued(content="two")
    with pytest.raises(TaskNotRetryableError):
        await ledger.tasks.retry(task.id)


async def test_retrying_and_uploading_at_once_leave_one_open_revision(
    ledger: Ledger, steps: Steps
) -> None:
    for number in range(10):
        task = await steps.queued(content=f"old {number}")
        await ledger.tasks.request_cancel(task.id)
        await asyncio.gather(
            ledger.tasks.retry(task.id),
            steps.queued(content=f"new {number}"),
            return_exceptions=True,
        )
        assert (await steps.state(task.id)) in {TaskState.CANCELLED, TaskState.SUPERSEDED}
        assert await steps.count("SELECT count(*) FROM tasks WHERE state = 'queued'") == 1
