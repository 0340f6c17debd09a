"""With a model away a delete or replacement changes nothing, says so, and can be repeated."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from shared.errors import AttemptsExhaustedError, ModelRateLimitedError, ModelUnavailableError
from shared.ledger.records import Task, TaskState
from tests.integration.engine.disturbed import FIRST, prepared, states
from tests.integration.engine.steps import (
    committed,
    held,
    journals,
    request_delete,
    spend_the_budget,
    summarise_often,
    tasks_by_document,
    twin,
)
from tests.integration.worker.fleet import Fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Of these, three speak of Marie Curie: what the others say of her is summarised again.
DOCUMENTS = FIRST | {"more": "Marie Curie met Hendrik Lorentz in Leiden. "}
NEW = "Hendrik Lorentz met Albert Einstein in Leiden. Marie Curie met Albert Einstein. "
RETRY_AFTER_S = 120.0


@pytest_asyncio.fixture(loop_scope="module")
async def filled(guest: Fleet) -> Fleet:
    await summarise_often(guest)
    await committed(guest, DOCUMENTS)
    return guest


@contextmanager
def away(fleet: Fleet, model: str) -> Iterator[None]:
    """Let one of the two models be away."""
    error = ModelUnavailableError()
    if model == "language":
        fleet.model.outage = error
    else:
        fleet.embeddings.refused_word, fleet.embeddings.failure = "Marie Curie", error
    yield
    fleet.model.outage, fleet.embeddings.refused_word = None, None


async def require_waiting(fleet: Fleet, task: Task) -> None:
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.READY, ModelUnavailableError.code)
    assert now.strikes == 0


async def require_given_up(fleet: Fleet, task: Task) -> None:
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, AttemptsExhaustedError.code)
    assert now.error_detail is not None
    assert ModelUnavailableError.code in now.error_detail


@pytest.mark.parametrize("model", ["language", "embedding"])
async def test_a_document_that_cannot_be_removed_cleanly_stays_whole(
    filled: Fleet, model: str
) -> None:
    before, count = await held(filled, DOCUMENTS), await journals(filled)
    task = await request_delete(filled, "goes")
    with away(filled, model):
        await filled.commit()
        await require_waiting(filled, task)
        await spend_the_budget(filled)
        await filled.commit()
        await require_given_up(filled, task)
    assert await held(filled, DOCUMENTS) == before
    assert await journals(filled) == count

    await filled.context.ledger.tasks.retry(task.id)
    await filled.commit()
    assert await filled.state(task) is TaskState.SUCCEEDED
    kept = [doc_id for doc_id in DOCUMENTS if doc_id != "goes"]
    after = await held(filled, kept)
    assert "goes" not in str(after)
    assert set(after.nodes) == {*before.nodes} - {"Brussels", "Ernest Solvay"}


@pytest.mark.parametrize("model", ["language", "embedding"])
async def test_the_old_revision_is_there_until_the_new_one_is(filled: Fleet, model: str) -> None:
    before = await held(filled, DOCUMENTS)
    await prepared(filled, {"goes": NEW})
    task = (await tasks_by_document(filled))["goes"]
    with away(filled, model):
        await filled.commit()
        await require_waiting(filled, task)
        assert await held(filled, DOCUMENTS) == before
    await filled.let_time_pass()
    await filled.commit()
    assert await filled.state(task) is TaskState.SUCCEEDED
    after = await held(filled, DOCUMENTS)
    assert after.documents["goes"]["full"]["content"] == NEW.strip()
    assert "Brussels" not in after.nodes


async def test_a_rate_limit_lets_the_group_wait_as_it_was_told_and_keeps_what_was_paid(
    guest: Fleet,
) -> None:
    documents = {
        "one": "Marie Curie met Pierre Curie. ",
        "two": "Marie Curie met Pierre Curie often. ",
    }
    asked = guest.model.summaries
    expected = await twin(guest, documents, often=True)
    needed = guest.model.summaries - asked
    assert needed == 3  # two people, and what they have to do with each other

    await summarise_often(guest)
    await prepared(guest, documents)
    # Relations come after entities, which have their summaries then.
    guest.model.failure_of["Relation Name"] = ModelRateLimitedError(retry_after_s=RETRY_AFTER_S)
    await guest.commit()
    for task in (await tasks_by_document(guest)).values():
        assert (task.state, task.error_code) == (TaskState.READY, ModelRateLimitedError.code)
        assert task.strikes == 0
        assert task.next_attempt_at_ms is not None
        assert task.next_attempt_at_ms - task.updated_at_ms >= RETRY_AFTER_S * 1000
    assert await journals(guest) == 0

    asked = guest.model.summaries
    await guest.let_time_pass()
    await guest.commit()
    assert guest.model.summaries - asked == 1
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await held(guest, documents) == expected
