"""The prepare stage: one winner, leases that end, old claims that can do nothing."""

import asyncio

import pytest

from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.records import (
    Claim,
    DoneBatch,
    LeaseStatus,
    NewBatch,
    TaskState,
)
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload

BATCH = NewBatch(index=0, chunk_count=1, chunks=b"c")
DONE = DoneBatch(index=0, chunk_count=1, chunks=b"c", result=b"r")


async def test_fifty_claimers_have_one_winner(ledger: Ledger, steps: Steps) -> None:
    task = await steps.queued()
    claims = await asyncio.gather(
        *(ledger.tasks.claim(task.id, holder=f"w{n}", ttl_ms=LONG_MS) for n in range(50))
    )
    winners = [claim for claim in claims if claim is not None]
    assert len(winners) == 1
    assert winners[0].task.state is TaskState.PREPARING
    assert (winners[0].task.attempt, winners[0].lease.token) == (1, 1)


async def test_fifty_claimers_of_an_abandoned_task_have_one_winner(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing(ttl_ms=GONE_MS)
    claims = await asyncio.gather(
        *(ledger.tasks.claim(claim.task.id, holder=f"w{n}", ttl_ms=LONG_MS) for n in range(50))
    )
    assert len([claim for claim in claims if claim is not None]) == 1
    assert (await ledger.tasks.get(claim.task.id)).strikes == 1


async def test_a_live_lease_keeps_others_out(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    assert await ledger.tasks.claim(claim.task.id, holder="other", ttl_ms=LONG_MS) is None
    assert await ledger.tasks.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.HELD


async def test_a_lease_that_ran_out_but_was_not_taken_can_be_renewed(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing(ttl_ms=GONE_MS)
    assert await ledger.tasks.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.HELD
    assert await ledger.tasks.claim(claim.task.id, holder="other", ttl_ms=LONG_MS) is None


async def test_a_claim_that_was_taken_over_can_do_nothing(ledger: Ledger, steps: Steps) -> None:
    old = await steps.preparing(ttl_ms=GONE_MS)
    new = await steps.claim(old.task.id)
    assert new.lease.token > old.lease.token
    before = await ledger.tasks.get(old.task.id)
    await _expect_powerless(ledger, old)
    assert await ledger.tasks.get(old.task.id) == before
    assert await ledger.tasks.start_extracting(new, batches=[BATCH])


async def test_a_claim_that_the_sweeper_freed_can_do_nothing(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing(ttl_ms=GONE_MS)
    freed = await ledger.tasks.expire_leases(max_strikes=5, limit=10)
    assert [(task.id, task.state, task.strikes) for task in freed] == [
        (claim.task.id, TaskState.QUEUED, 1)
    ]
    await _expect_powerless(ledger, claim)
    assert await ledger.tasks.get(claim.task.id) == freed[0]


async def test_a_superseded_claim_can_do_nothing(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await ledger.documents.accept(an_upload(content="two"))
    await _expect_powerless(ledger, claim)
    assert await steps.state(claim.task.id) is TaskState.SUPERSEDED


async def test_a_postponed_task_waits_until_its_time(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await _postpone(ledger, claim, delay_ms=LONG_MS)
    task = await ledger.tasks.get(claim.task.id)
    assert (task.state, task.strikes, task.error_code) == (TaskState.QUEUED, 1, "model_unavailable")
    assert await ledger.tasks.claim(task.id, holder="other", ttl_ms=LONG_MS) is None
    assert await ledger.tasks.unsent(older_than_ms=0, limit=10) == []


async def test_a_task_whose_time_has_come_is_sent_and_claimed_again(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing()
    await ledger.tasks.mark_sent(claim.task.id)
    await _postpone(ledger, claim, delay_ms=0)
    unsent = await ledger.tasks.unsent(older_than_ms=LONG_MS, limit=10)
    assert [task.id for task in unsent] == [claim.task.id]
    assert (await steps.claim(claim.task.id)).task.attempt == 2


async def test_progress_is_shown_and_counts_strikes_anew(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await _postpone(ledger, claim, delay_ms=0)
    claim = await steps.claim(claim.task.id)
    await ledger.tasks.report_progress(claim, chunks_done=2, chunks_total=3)
    shown = await ledger.tasks.get(claim.task.id)
    assert (shown.chunks_done, shown.chunks_total) == (2, 3)
    await ledger.tasks.start_extracting(claim, batches=[BATCH])
    task = await ledger.tasks.get(claim.task.id)
    assert (task.strikes, task.error_code, task.chunks_done, task.chunks_total) == (0, None, 0, 1)
    assert (task.prepare_attempt, task.state) == (2, TaskState.EXTRACTING)


async def test_a_small_document_becomes_ready_with_its_results(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.ready()
    assert (task.state, task.chunks_total, task.chunks_done) == (TaskState.READY, 3, 3)
    assert [b.result for b in await ledger.batches.results(task.id, task.prepare_attempt)] == [b"r"]


async def test_a_document_without_chunks_becomes_ready_too(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    assert await ledger.tasks.make_ready(claim, batches_done=[])
    assert await steps.state(claim.task.id) is TaskState.READY


async def test_extracting_nothing_is_a_mistake_of_the_caller(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    with pytest.raises(ValueError, match="make_ready"):
        await ledger.tasks.start_extracting(claim, batches=[])


async def test_a_failed_task_says_why(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await ledger.tasks.fail(claim, error_code="no_text", error_detail="There is no text.")
    task = await ledger.tasks.get(claim.task.id)
    assert (task.state, task.error_code) == (TaskState.FAILED, "no_text")
    assert task.finished_at_ms is not None


async def test_words_no_database_can_keep_do_not_stop_a_failure(
    ledger: Ledger, steps: Steps
) -> None:
    claim = await steps.preparing()
    await ledger.tasks.fail(claim, error_code="x", error_detail="nul \0, half \ud800, 好")
    assert (await ledger.tasks.get(claim.task.id)).error_detail == "nul  , half ?, 好"


async def test_a_delete_is_never_prepared(ledger: Ledger, steps: Steps) -> None:
    await steps.committed()
    delete = await ledger.documents.request_delete(DEFAULT_WORKSPACE, "doc", request_id=None)
    assert await ledger.tasks.claim(delete.id, holder="w", ttl_ms=LONG_MS) is None


async def _expect_powerless(ledger: Ledger, claim: Claim) -> None:
    assert await ledger.tasks.renew(claim, ttl_ms=LONG_MS) is LeaseStatus.LOST
    assert not await ledger.tasks.start_extracting(claim, batches=[BATCH])
    assert not await ledger.tasks.make_ready(claim, batches_done=[DONE])
    await ledger.tasks.report_progress(claim, chunks_done=77, chunks_total=78)
    await ledger.tasks.fail(claim, error_code="late", error_detail="late")
    await ledger.tasks.confirm_cancel(claim)
    await _postpone(ledger, claim, delay_ms=0)


async def _postpone(ledger: Ledger, claim: Claim, *, delay_ms: int) -> None:
    await ledger.tasks.postpone(
        claim,
        delay_ms=delay_ms,
        error_code="model_unavailable",
        error_detail="The model is away.",
        strike=True,
    )
