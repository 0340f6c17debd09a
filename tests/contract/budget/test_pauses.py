"""Who waits while nobody may call a model, and who is sent away."""

import asyncio

import pytest

from shared.errors import ModelRateLimitedError, ModelUnauthorizedError, ModelUnavailableError
from shared.rag.budget.base import Limits, PauseReason, Refusal
from shared.rag.calls import Urgency
from tests.contract.budget.callers import Calls, Opened, Watched, refuse
from tests.contract.budget.conftest import Clock, OpenBook


async def test_a_short_pause_is_waited_out(
    open_book: OpenBook, opened: Opened, calls: Calls, clock: Clock
) -> None:
    book = Watched(open_book(Limits(4)))
    gate = opened(book)
    await refuse(gate, Refusal(PauseReason.RATE_LIMITED, 0.05))
    waiting = asyncio.create_task(calls.make(gate))
    await book.told_of_refusal.wait()
    assert calls.most == 0
    clock.pass_s(0.05)
    await calls.wait_for(1)
    calls.may_end.release()
    await waiting


@pytest.mark.parametrize(
    ("urgency", "pause_s"), [(Urgency.QUERY, 6), (Urgency.COMMIT, 31), (Urgency.REST, 31)]
)
@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (PauseReason.RATE_LIMITED, ModelRateLimitedError),
        (PauseReason.UNAVAILABLE, ModelUnavailableError),
    ],
)
async def test_whoever_would_wait_too_long_is_told_how_long(
    open_book: OpenBook,
    opened: Opened,
    urgency: Urgency,
    pause_s: float,
    reason: PauseReason,
    error: type[ModelUnavailableError],
) -> None:
    book = open_book(Limits(4))
    await refuse(opened(book), Refusal(reason, pause_s))
    other = opened(book)
    with pytest.raises(ModelUnavailableError) as caught:
        async with other.call(1, urgency):
            pass
    assert (type(caught.value), caught.value.retry_after_s) == (error, pause_s)


async def test_a_refused_key_stops_everybody_at_once(open_book: OpenBook, opened: Opened) -> None:
    book = open_book(Limits(4))
    await refuse(opened(book), Refusal(PauseReason.UNAUTHORIZED))
    other = opened(book)
    for urgency in Urgency:
        with pytest.raises(ModelUnauthorizedError) as caught:
            async with other.call(1, urgency):
                pass
        assert caught.value.retry_after_s == 60
