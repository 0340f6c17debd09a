"""How an attempt ends is what its series says."""

import asyncio

import pytest

from shared.metrics.process import PROCESS
from worker.leased import CancelRequestedError, LeaseLostError
from worker.metrics import observed_stage


def attempts(outcome: str) -> float:
    labels = {"stage": "a test's", "outcome": outcome}
    return PROCESS.get_sample_value("ragfleet_stage_duration_seconds_count", labels) or 0.0


def running() -> float | None:
    return PROCESS.get_sample_value("ragfleet_stages_running", {"stage": "a test's"})


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "done"),
        (KeyError(), "failed"),
        (LeaseLostError(), "lost"),
        (CancelRequestedError(), "cancelled"),
        (asyncio.CancelledError(), "interrupted"),
    ],
)
def test_every_ending_has_its_name(error: BaseException | None, outcome: str) -> None:
    before = attempts(outcome)
    if error is None:
        with observed_stage("a test's"):
            assert running() == 1
    else:
        with pytest.raises(type(error)), observed_stage("a test's"):
            raise error
    assert attempts(outcome) == before + 1
    assert running() == 0
