"""Calls of this process to models: how long they take, what fails, how long they wait before."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Histogram

from shared.errors import AppError
from shared.metrics.process import PROCESS

# An embedding takes milliseconds; a long answer takes minutes.
_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
# Most are admitted at once; a task waits for half a minute, then in the ledger.
_WAIT_BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60)

_DURATION = Histogram(
    "ragfleet_model_call_duration_seconds",
    "Time of one answered call, from the request to the last byte.",
    ["model", "purpose"],
    buckets=_BUCKETS_S,
    registry=PROCESS,
)
_FAILURES = Counter(
    "ragfleet_model_call_failures",
    "Calls without a usable answer, each attempt counted; model_rate_limited is HTTP's 429.",
    ["model", "code"],
    registry=PROCESS,
)
ADMISSION_WAIT = Histogram(
    "ragfleet_model_admission_wait_seconds",
    "How long a call waited until the fleet's budget let it start.",
    ["urgency"],
    buckets=_WAIT_BUCKETS_S,
    registry=PROCESS,
)


@contextmanager
def observed_call(model: str, purpose: str) -> Iterator[None]:
    """Time the call inside the `with` block, or count how it failed."""
    started_s = perf_counter()
    try:
        yield
    except AppError as error:
        _FAILURES.labels(model, error.code).inc()
        raise
    _DURATION.labels(model, purpose).observe(perf_counter() - started_s)
