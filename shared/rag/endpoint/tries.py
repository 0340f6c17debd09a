"""How often a call is made again at once, before its failure becomes the task's matter."""

import random

from shared.errors import (
    ModelRateLimitedError,
    ModelTooSlowError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.rag.budget.base import PauseReason, Refusal, RunningCall
from shared.rag.endpoint.outage import Outage

# Short hiccups only, a restarted proxy for example: outages are the task's retry decision.
_HICCUP_PAUSES_S = (0.1, 0.5)
# How often a call that met a 429 waits in the budget, until its task does so in the ledger.
_MOST_REFUSALS = 5


class Tries:
    """The attempts of one call."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage
        self._hiccups = iter(_HICCUP_PAUSES_S)
        self._refusals = 0

    def pause_after(self, error: ModelUnavailableError, call: RunningCall) -> float:
        """Return how long to wait before the next attempt, in seconds; tell the budget if need be.

        Raises:
            ModelUnavailableError: the one given, when there should be no other attempt here.
        """
        pause_s: float | None = None
        match error:
            case ModelRateLimitedError():
                call.refused(Refusal(PauseReason.RATE_LIMITED, error.retry_after_s))
                self._refusals += 1
                # The budget makes the next attempt wait, and everybody else with it.
                pause_s = 0.0 if self._refusals < _MOST_REFUSALS else None
            case ModelUnauthorizedError():
                call.refused(Refusal(PauseReason.UNAUTHORIZED))
            case ModelTooSlowError():
                pass  # it had all the time a call may take
            case _:
                if self._outage.failed():
                    # All wait together and longer each time: thousands would not let it get up.
                    call.refused(Refusal(PauseReason.UNAVAILABLE, error.retry_after_s))
                if error.retry_after_s is None:
                    pause_s = next(self._hiccups, None)
        if pause_s is None:
            raise error
        return pause_s * (1 + random.random())  # noqa: S311 - not a secret
