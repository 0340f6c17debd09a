"""Every failure becomes a row: failed with a code, or waiting for its next attempt."""

import time

import pytest

from shared.contract.names import TaskName
from shared.errors import (
    AppError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelUnauthorizedError,
    ModelUnavailableError,
    StoreUnavailableError,
)
from shared.ledger.records import TaskState
from tests.integration.worker.fleet import LARGE, SMALL, Fleet
from tests.models import DIM
from worker.parsing.errors import EncryptedDocumentError

BOTH_WAYS = pytest.mark.parametrize("text", [SMALL, LARGE], ids=["in place", "in batches"])


async def test_a_document_nobody_can_read_fails_at_once_with_its_code(fleet: Fleet) -> None:
    fleet.parser.error = EncryptedDocumentError()
    task = await fleet.upload()
    await fleet.deliver()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "encrypted_document")
    assert now.error_detail == EncryptedDocumentError().detail


@BOTH_WAYS
@pytest.mark.parametrize("outage", [ModelRateLimitedError, ModelUnauthorizedError])
async def test_a_model_that_keeps_us_away_postpones_without_a_strike(
    fleet: Fleet, text: str, outage: type[AppError]
) -> None:
    fleet.model.outage = outage(retry_after_s=30.0)
    task = await fleet.upload(text=text)
    before_ms = time.time() * 1000
    await fleet.deliver()
    now = await fleet.task(task)
    assert now.state in {TaskState.QUEUED, TaskState.EXTRACTING}
    assert (now.strikes, now.error_code) == (0, outage.code)
    if now.state is TaskState.QUEUED:
        assert now.next_attempt_at_ms is not None
        assert now.next_attempt_at_ms >= before_ms + 29_000
    await fleet.sweep()
    assert fleet.sender.sent == []  # its time has not come
    fleet.model.outage = None
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.SUCCEEDED, None)


@BOTH_WAYS
async def test_an_outage_longer_than_any_number_of_attempts_fails_nothing(
    fleet: Fleet, text: str
) -> None:
    fleet.model.outage = ModelUnavailableError()
    task = await fleet.upload(text=text)
    for _ in range(fleet.context.settings.limits.max_attempts + 2):
        await fleet.deliver()
        assert not (await fleet.task(task)).state.is_final
        await fleet.let_time_pass()
        await fleet.sweep()
    fleet.model.outage = None
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED


@BOTH_WAYS
async def test_an_unforeseen_error_is_tried_again_until_the_budget_is_spent(
    fleet: Fleet, text: str
) -> None:
    fleet.model.outage = KeyError("choices")
    task = await fleet.upload(text=text)
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert now.error_detail is not None
    assert "internal_error" in now.error_detail
    assert "choices" not in now.error_detail
    if text == SMALL:
        assert now.attempt == fleet.context.settings.limits.max_attempts


async def test_an_attempt_that_failed_is_counted_and_then_forgotten(fleet: Fleet) -> None:
    fleet.model.failures = [KeyError("once")]
    task = await fleet.upload()
    await fleet.deliver()
    assert (await fleet.task(task)).error_code == "internal_error"
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.attempt, now.error_code) == (TaskState.SUCCEEDED, 2, None)


async def test_a_refused_request_fails_at_once_and_stops_the_other_batches(fleet: Fleet) -> None:
    task = await fleet.upload(text=LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.model.outage = ModelRefusedError()
    await fleet.handle(fleet.sender.sent.pop(0))
    calls = fleet.model.extractions
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "model_refused")
    await fleet.deliver()
    assert fleet.model.extractions == calls


@BOTH_WAYS
async def test_vectors_of_another_dimension_fail_at_once_and_say_which(
    fleet: Fleet, text: str
) -> None:
    fleet.embeddings.distort = lambda _texts, vectors: vectors[:, :100]
    task = await fleet.upload(text=text)
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "embedding_dimension")
    assert (now.attempt, now.strikes) == (1, 0)
    assert now.error_detail is not None
    assert "100" in now.error_detail
    assert f"EMBEDDING_DIM={DIM}" in now.error_detail


async def test_a_failed_document_blocks_no_other(fleet: Fleet) -> None:
    fleet.embeddings.refused_word = "Poison"
    bad = await fleet.upload("bad", "Poison Ivy met Poison Oak in Gotham City. " * 3)
    good = await fleet.upload("good")
    await fleet.run_until_quiet()
    assert await fleet.state(bad) is TaskState.FAILED
    assert await fleet.state(good) is TaskState.SUCCEEDED


@BOTH_WAYS
async def test_a_dead_letter_can_be_tried_again(fleet: Fleet, text: str) -> None:
    fleet.model.outage = ModelRefusedError()
    task = await fleet.upload(text=text)
    await fleet.deliver()
    assert await fleet.state(task) is TaskState.FAILED
    fleet.model.outage = None
    await fleet.context.ledger.tasks.retry(task.id)
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.attempt, now.error_code) == (TaskState.SUCCEEDED, 2, None)


async def test_a_failed_commit_leaves_nothing_half_written_and_the_next_one_commits(
    fleet: Fleet,
) -> None:
    await fleet.upload("first")
    await fleet.deliver()
    before = await fleet.stored()
    bad = await fleet.upload("bad", "Poison Ivy met Neil Armstrong in Gotham City. " * 3)
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.embeddings.refused_word = "Poison"
    await fleet.run_until_quiet()
    now = await fleet.task(bad)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert await fleet.stored() == before
    fleet.embeddings.refused_word = None
    after = await fleet.upload("after", "Marie Curie met Pierre Curie in Paris. " * 3)
    await fleet.run_until_quiet()
    assert await fleet.state(after) is TaskState.SUCCEEDED
    assert set((await fleet.stored())["nodes"]) > set(before["nodes"])


async def test_a_store_that_is_away_postpones_a_commit(fleet: Fleet) -> None:
    task = await fleet.upload()
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.embeddings.refused_word, fleet.embeddings.failure = "Apollo", StoreUnavailableError()
    await fleet.deliver()
    now = await fleet.task(task)
    assert (now.state, now.error_code, now.strikes) == (TaskState.READY, "store_unavailable", 0)
    fleet.embeddings.refused_word = None
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.attempt, now.error_code) == (TaskState.SUCCEEDED, 2, None)


async def test_the_hours_of_an_outage_are_a_budget_too(fleet: Fleet) -> None:
    fleet.model.outage = ModelUnavailableError()
    task = await fleet.upload()
    await fleet.deliver()
    async with fleet.context.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE tasks SET started_at_ms = 1")
    await fleet.run_until_quiet()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    fleet.model.outage = None
    await fleet.context.ledger.tasks.retry(task.id)  # by hand: the clock starts anew
    fleet.model.failures = [ModelUnavailableError()]
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED
