"""The retry decision, as a table."""

import pytest

from shared.errors import (
    AppError,
    DeadlineExceededError,
    GraphDuplicatesError,
    ModelRateLimitedError,
    ModelRefusedError,
    StoreUnavailableError,
)
from worker.retry import Action, Budget, Failure, decide

BUDGET = Budget(max_strikes=3, max_age_s=3600)


def failure(
    error: BaseException, *, attempt: int = 1, strikes: int = 0, age_s: float = 1
) -> Failure:
    return Failure(error=error, attempt=attempt, strikes=strikes, age_s=age_s)


@pytest.mark.parametrize(
    ("failed", "action", "strike", "code"),
    [
        (failure(ModelRefusedError()), Action.FAIL, False, "model_refused"),
        (failure(StoreUnavailableError()), Action.RETRY, False, "store_unavailable"),
        (failure(GraphDuplicatesError(), strikes=9), Action.RETRY, False, "graph_duplicates"),
        (failure(StoreUnavailableError(), attempt=900), Action.RETRY, False, "store_unavailable"),
        (failure(StoreUnavailableError(), strikes=9), Action.RETRY, False, "store_unavailable"),
        (failure(StoreUnavailableError(), age_s=3601), Action.FAIL, False, "attempts_exhausted"),
        (failure(DeadlineExceededError()), Action.RETRY, True, "deadline_exceeded"),
        (failure(DeadlineExceededError(), strikes=2), Action.FAIL, False, "attempts_exhausted"),
        (failure(KeyError("x")), Action.RETRY, True, "internal_error"),
        (failure(KeyError("x"), strikes=2), Action.FAIL, False, "attempts_exhausted"),
    ],
)
def test_a_failure_leads_to_one_decision(
    failed: Failure, action: Action, strike: bool, code: str
) -> None:
    decision = decide(failed, BUDGET, jitter=0)
    assert (decision.action, decision.strike, decision.code) == (action, strike, code)


@pytest.mark.parametrize(
    ("attempt", "delay_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (5000, 60.0)]
)
def test_delays_double_up_to_a_minute(attempt: int, delay_s: float) -> None:
    assert decide(failure(KeyError(), attempt=attempt), BUDGET, jitter=0).delay_s == delay_s


def test_jitter_adds_up_to_a_quarter() -> None:
    assert decide(failure(StoreUnavailableError()), BUDGET, jitter=1).delay_s == 1.25


def test_what_the_model_endpoint_asks_for_is_waited() -> None:
    error = ModelRateLimitedError(retry_after_s=17.0)
    assert decide(failure(error), BUDGET, jitter=0).delay_s == 17.0
    assert decide(failure(error), BUDGET, jitter=1).delay_s == 17.0 * 1.25


def test_nobody_waits_a_day_because_an_endpoint_says_so() -> None:
    error = ModelRateLimitedError(retry_after_s=86_400.0)
    assert decide(failure(error), BUDGET, jitter=0).delay_s == 600.0


def test_our_error_is_found_behind_the_copies_lightrag_makes_of_it() -> None:
    copy = RuntimeError("C[1/3]: chunk-1: The model ...")
    copy.__cause__ = ModelRateLimitedError(retry_after_s=5.0)
    decision = decide(failure(copy), BUDGET, jitter=0)
    assert (decision.code, decision.delay_s) == ("model_rate_limited", 5.0)


def test_an_unforeseen_error_shows_people_no_internals() -> None:
    decision = decide(failure(KeyError("password=hunter2")), BUDGET)
    assert decision.detail == AppError().detail


def test_giving_up_names_the_last_error() -> None:
    decision = decide(failure(StoreUnavailableError("Neo4j is away."), age_s=9999), BUDGET)
    assert decision.detail.endswith("Last error: store_unavailable: Neo4j is away.")
