"""The extract stage: batches spread over workers, and exactly one of them ends it."""

import asyncio

import pytest

from shared.errors import TaskNotFoundError
from shared.ledger.ledger import Ledger
from shared.ledger.records import BatchClaim, BatchKey, LeaseStatus, NewBatch, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload


async def test_batches_that_finish_at_once_make_the_task_ready_once(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=30)
    claims = [await steps.batch(task, index) for index in range(30)]
    finished = await asyncio.gather(
        *(ledger.batches.finish(claim, result=b"r") for claim in claims)
    )
    assert finished.count(True) == 1
    task = await ledger.tasks.get(task.id)
    assert (task.state, task.chunks_done, task.chunks_total) == (TaskState.READY, 90, 90)
    results = await ledger.batches.results(task.id, task.prepare_attempt)
    assert [batch.index for batch in results] == list(range(30))
    assert all(batch.done and batch.result == b"r" for batch in results)


async def test_a_task_with_an_open_batch_is_not_ready(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting(batches=2)
    assert not await ledger.batches.finish(await steps.batch(task, 1), result=b"r")
    task = await ledger.tasks.get(task.id)
    assert (task.state, task.chunks_done) == (TaskState.EXTRACTING, 3)


async def test_claimers_of_one_batch_have_one_winner(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    claims = await asyncio.gather(
        *(
            ledger.batches.claim(
                task.id, task.prepare_attempt, index=0, holder=f"w{n}", ttl_ms=LONG_MS
            )
            for n in range(20)
        )
    )
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_a_batch_is_loaded_by_its_claim(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    claim = await steps.batch(task, 1)
    batch = await ledger.batches.load(claim)
    assert (batch.index, batch.chunks, batch.chunk_count, batch.done) == (1, b"c", 3, False)


async def test_a_batch_that_was_taken_over_counts_once(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting(batches=1)
    old = await steps.batch(task, 0, ttl_ms=GONE_MS)
    new = await steps.batch(task, 0)
    assert (new.lease.token, new.strikes) == (old.lease.token + 1, 1)
    await _expect_powerless(ledger, old)
    assert await steps.state(task.id) is TaskState.EXTRACTING
    assert await ledger.batches.finish(new, result=b"new")
    await _expect_powerless(ledger, old)
    [batch] = await ledger.batches.results(task.id, task.prepare_attempt)
    assert batch.result == b"new"


async def test_finishing_a_batch_twice_counts_once(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting(batches=2)
    claim = await steps.batch(task, 0)
    await asyncio.gather(*(ledger.batches.finish(claim, result=b"r") for _ in range(5)))
    task = await ledger.tasks.get(task.id)
    assert (task.state, task.chunks_done) == (TaskState.EXTRACTING, 3)


async def test_batches_of_an_older_attempt_are_dead(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    old = await steps.batch(task, 0)
    await ledger.tasks.request_cancel(task.id)
    await ledger.tasks.retry(task.id)
    claim = await steps.claim(task.id)
    new = [NewBatch(index=0, chunk_count=1, chunks=b"new")]
    assert await ledger.tasks.start_extracting(claim, batches=new)
    await _expect_powerless(ledger, old)
    assert await _claim(ledger, old) is None
    with pytest.raises(TaskNotFoundError):
        await ledger.batches.load(old)
    assert (await ledger.tasks.get(task.id)).chunks_done == 0


async def test_a_cancelled_task_stops_its_batches(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    claim = await steps.batch(task, 0)
    assert await ledger.batches.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.HELD
    await ledger.tasks.request_cancel(task.id)
    await _expect_powerless(ledger, claim)
    assert await _claim(ledger, claim, index=1) is None
    assert await steps.state(task.id) is TaskState.CANCELLED


async def test_a_superseded_task_stops_its_batches(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    claim = await steps.batch(task, 0)
    await ledger.documents.accept(an_upload(content="two"))
    await _expect_powerless(ledger, claim)


async def test_a_postponed_batch_waits_and_shows_its_reason(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting(batches=1)
    claim = await steps.batch(task, 0)
    await _postpone(ledger, claim, delay_ms=LONG_MS)
    assert await _claim(ledger, claim) is None
    assert await ledger.batches.unsent(older_than_ms=0, limit=10) == []
    shown = await ledger.tasks.get(task.id)
    assert (shown.error_code, shown.state) == ("model_rate_limited", TaskState.EXTRACTING)


async def test_a_batch_whose_time_has_come_goes_on_with_its_strikes(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=1)
    await _postpone(ledger, await steps.batch(task, 0), delay_ms=0)
    claim = await steps.batch(task, 0)
    assert claim.strikes == 1
    assert await ledger.batches.finish(claim, result=b"r")
    assert (await ledger.tasks.get(task.id)).error_code is None


async def test_a_failed_batch_fails_its_task(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    await ledger.batches.fail(
        await steps.batch(task, 0), error_code="model_refused", error_detail="No."
    )
    task = await ledger.tasks.get(task.id)
    assert (task.state, task.error_code) == (TaskState.FAILED, "model_refused")
    assert await ledger.batches.unsent(older_than_ms=0, limit=10) == []


async def test_open_batches_without_a_message_are_found(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting(batches=4)
    attempt = task.prepare_attempt
    await ledger.batches.mark_sent(task.id, attempt, indexes=[0])
    await steps.batch(task, 1)
    unsent = await ledger.batches.unsent(older_than_ms=LONG_MS, limit=10)
    assert unsent == [BatchKey(task.id, attempt, 2), BatchKey(task.id, attempt, 3)]
    assert len(await ledger.batches.unsent(older_than_ms=0, limit=10)) == 3
    assert len(await ledger.batches.unsent(older_than_ms=0, limit=2)) == 2


async def test_the_sweeper_frees_the_batches_of_silent_workers(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=2)
    silent = await steps.batch(task, 0, ttl_ms=GONE_MS)
    await steps.batch(task, 1)
    await ledger.batches.mark_sent(task.id, task.prepare_attempt, indexes=[0, 1])
    assert await ledger.batches.expire_leases(max_strikes=5, limit=10) == 1
    assert await ledger.batches.expire_leases(max_strikes=5, limit=10) == 0
    await _expect_powerless(ledger, silent)
    unsent = await ledger.batches.unsent(older_than_ms=LONG_MS, limit=10)
    assert [key.index for key in unsent] == [0]


async def test_a_batch_that_kills_every_worker_fails_its_task(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    for _ in range(3):
        assert await steps.state(task.id) is TaskState.EXTRACTING
        await steps.batch(task, 0, ttl_ms=GONE_MS)
        await ledger.batches.expire_leases(max_strikes=2, limit=10)
    task = await ledger.tasks.get(task.id)
    assert (task.state, task.error_code) == (TaskState.FAILED, "attempts_exhausted")


async def _claim(
    ledger: Ledger, like: BatchClaim, *, index: int | None = None
) -> BatchClaim | None:
    return await ledger.batches.claim(
        like.task_id,
        like.prepare_attempt,
        index=like.index if index is None else index,
        holder="other",
        ttl_ms=LONG_MS,
    )


async def _postpone(ledger: Ledger, claim: BatchClaim, *, delay_ms: int) -> None:
    await ledger.batches.postpone(
        claim,
        delay_ms=delay_ms,
        error_code="model_rate_limited",
        error_detail="Slow down.",
        strike=True,
    )


async def _expect_powerless(ledger: Ledger, claim: BatchClaim) -> None:
    before = await ledger.tasks.get(claim.task_id)
    assert await ledger.batches.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.LOST
    assert not await ledger.batches.finish(claim, result=b"late")
    await _postpone(ledger, claim, delay_ms=0)
    await ledger.batches.fail(claim, error_code="late", error_detail="late")
    assert await ledger.tasks.get(claim.task_id) == before


async def test_progress_inside_batches_adds_up_and_is_not_counted_twice(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=2)
    first, second = await steps.batch(task, 0), await steps.batch(task, 1)

    async def shown() -> int:
        return (await ledger.tasks.get(task.id)).chunks_done

    await ledger.batches.report_progress(first, chunks_done=1)
    await ledger.batches.report_progress(second, chunks_done=2)
    await ledger.batches.report_progress(second, chunks_done=2)
    assert await shown() == 3
    await ledger.batches.finish(first, result=b"r")
    assert await shown() == 5
    await ledger.batches.report_progress(first, chunks_done=2)  # it came late
    assert await shown() == 5
    assert await ledger.batches.finish(second, result=b"r")
    assert await shown() == 6


async def test_a_batch_that_starts_again_does_not_count_its_chunks_again(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=1)
    silent = await steps.batch(task, 0, ttl_ms=GONE_MS)
    await ledger.batches.report_progress(silent, chunks_done=2)
    again = await steps.batch(task, 0)
    await ledger.batches.report_progress(silent, chunks_done=3)
    await ledger.batches.report_progress(again, chunks_done=1)
    assert (await ledger.tasks.get(task.id)).chunks_done == 2
    assert await ledger.batches.finish(again, result=b"r")
    assert (await ledger.tasks.get(task.id)).chunks_done == 3
