"""What happens after a failure: one pure decision."""

import random
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import AppError, AttemptsExhaustedError

# Waiting times double from the first to the last; the jitter keeps a fleet from marching in step.
_FIRST_DELAY_S = 1.0
_LAST_DELAY_S = 60.0
# An endpoint may ask for a day; looking earlier costs one call.
_LONGEST_ASKED_DELAY_S = 600.0
_JITTER = 0.25


class Action(StrEnum):
    """What to do with the task."""

    RETRY = "retry"
    FAIL = "fail"


@dataclass(frozen=True)
class Failure:
    """One failed attempt: what went wrong, and what came before it."""

    error: BaseException
    attempt: int
    """How often this was started, this time included."""
    strikes: int
    """How many earlier attempts since the last progress ended in a crash or unforeseen error."""
    age_s: float
    """How long ago work on the task began, in seconds."""


@dataclass(frozen=True)
class Budget:
    """How much is tried before a task goes to the dead letters."""

    max_strikes: int
    max_age_s: float
    """For outages: they are nobody's fault, so time is the limit, not attempts."""


@dataclass(frozen=True)
class Decision:
    """The action, and what the task's row says about it."""

    action: Action
    delay_s: float
    strike: bool
    code: str
    detail: str


def decide(failure: Failure, budget: Budget, *, jitter: float | None = None) -> Decision:
    """Choose between another attempt and giving up.

    Args:
        failure: the failed attempt.
        budget: what the task may still spend.
        jitter: a number in [0, 1) for tests; random otherwise.
    """
    error = app_error_behind(failure.error)
    outage = error is not None and error.outage
    retryable = error is None or error.retryable
    spent = (
        failure.age_s > budget.max_age_s if outage else failure.strikes + 1 >= budget.max_strikes
    )
    code, detail = _describe(error)
    if not retryable:
        return Decision(Action.FAIL, 0.0, strike=False, code=code, detail=detail)
    if spent:
        detail = f"{AttemptsExhaustedError().detail} Last error: {code}: {detail}"
        return Decision(
            Action.FAIL, 0.0, strike=False, code=AttemptsExhaustedError.code, detail=detail
        )
    delay_s = _delay_s(error, failure.attempt, random.random() if jitter is None else jitter)  # noqa: S311 - not a secret
    return Decision(Action.RETRY, delay_s, strike=not outage, code=code, detail=detail)


def app_error_behind(error: BaseException | None) -> AppError | None:
    """Find our own error in an error or in what caused it; LightRAG re-wraps what it catches."""
    found: AppError | None = None
    while error is not None:
        if isinstance(error, AppError):
            # The innermost one was raised by us; outer ones may be copies with a prefixed text.
            found = error
        # `from None` says that what came before is no part of the story.
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context
    return found


def _describe(error: AppError | None) -> tuple[str, str]:
    return (error.code, error.detail) if error else (AppError.code, AppError().detail)


def _delay_s(error: AppError | None, attempt: int, jitter: float) -> float:
    if error is not None and error.retry_after_s is not None:
        delay_s = min(error.retry_after_s, _LONGEST_ASKED_DELAY_S)
    else:
        # The exponent is bounded before it is used: outages may bring thousands of attempts.
        delay_s = min(_FIRST_DELAY_S * 2.0 ** min(attempt - 1, 10), _LAST_DELAY_S)
    return delay_s * (1 + _JITTER * jitter)
