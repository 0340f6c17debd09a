"""What a worker counts of its stages; see docs/metrics.md."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

from shared.metrics.process import PROCESS
from worker.leased import CancelRequestedError, LeaseLostError

# A note is prepared in a tenth of a second; a stage may take STAGE_TIMEOUT_S, an hour.
_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_GROUP_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_JOURNAL_BUCKETS = (10_000, 100_000, 1_000_000, 4_000_000, 16_000_000, 64_000_000, 256_000_000)

_DURATION = Histogram(
    "ragfleet_stage_duration_seconds",
    "Time of one attempt: prepare and extract of what was claimed, merge and apply of a group.",
    ["stage", "outcome"],
    buckets=_BUCKETS_S,
    registry=PROCESS,
)
_RUNNING = Gauge(
    "ragfleet_stages_running", "Attempts that are under way.", ["stage"], registry=PROCESS
)
ATTEMPT_FAILURES = Counter(
    "ragfleet_attempt_failures",
    "Failed attempts by what was decided (retry, or fail for good) and the error's code.",
    ["action", "code"],
    registry=PROCESS,
)
GROUP_TASKS = Histogram(
    "ragfleet_commit_group_tasks",
    "Tasks of a group that was committed.",
    buckets=_GROUP_BUCKETS,
    registry=PROCESS,
)
JOURNAL_BYTES = Histogram(
    "ragfleet_commit_journal_bytes",
    "Length of a group's journal.",
    buckets=_JOURNAL_BUCKETS,
    registry=PROCESS,
)
COMMIT_LEASES = Counter(
    "ragfleet_commit_leases",
    "Times that a workspace's lease was asked for: taken, held (by another one), or lost.",
    ["result"],
    registry=PROCESS,
)
TAKE_OVER = Histogram(
    "ragfleet_commit_take_over_seconds",
    "Time to take a workspace over: its stores are fenced, and repaired where need be.",
    buckets=_BUCKETS_S,
    registry=PROCESS,
)
LAST_SWEEP = Gauge(
    "ragfleet_last_sweep_timestamp_seconds",
    "When this process last looked for lost work, in Unix time; 0: never.",
    registry=PROCESS,
)


@contextmanager
def observed_stage(stage: str) -> Iterator[None]:
    """Time the attempt inside the `with` block, and tell how it ended."""
    began_at_s = perf_counter()
    outcome = "failed"
    with _RUNNING.labels(stage).track_inprogress():
        try:
            yield
            outcome = "done"
        except LeaseLostError:
            outcome = "lost"
            raise
        except CancelRequestedError:
            outcome = "cancelled"
            raise
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        finally:
            _DURATION.labels(stage, outcome).observe(perf_counter() - began_at_s)
