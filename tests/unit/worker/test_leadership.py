"""A beat leads as long as its lock cannot be anybody else's, and not a moment longer."""

import pytest
from redbeat import RedBeatScheduler
from redis.exceptions import ConnectionError as NotConnectedError
from redis.exceptions import LockNotOwnedError
from structlog.testing import capture_logs

from worker.watch.leadership import Leadership, WatchedScheduler


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_who_never_had_the_lock_does_not_lead() -> None:
    assert not Leadership(clock_s=Clock()).held


def test_a_lock_counts_from_before_it_was_asked_for() -> None:
    clock = Clock()
    leadership = Leadership(clock_s=clock)
    clock.now_s = 103.0  # the answer took three seconds
    leadership.extended(asked_at_s=100.0, timeout_s=10)
    clock.now_s = 109.9
    assert leadership.held
    clock.now_s = 110.0
    assert not leadership.held


def test_who_gives_the_lock_back_leads_no_more() -> None:
    leadership = Leadership(clock_s=(clock := Clock()))
    leadership.extended(asked_at_s=clock(), timeout_s=10)
    leadership.ended()
    assert not leadership.held


def scheduler(monkeypatch: pytest.MonkeyPatch, error: Exception) -> WatchedScheduler:
    def fail(_: RedBeatScheduler) -> float:
        raise error

    monkeypatch.setattr(RedBeatScheduler, "tick", fail)
    made = WatchedScheduler.__new__(WatchedScheduler)
    made._leadership = Leadership()
    made._is_broker_away = False
    return made


def test_a_broker_that_is_away_does_not_end_beat_and_does_not_let_it_lead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = scheduler(monkeypatch, NotConnectedError("refused"))
    with capture_logs() as lines:
        assert away.tick() > 0
        assert away.tick() > 0
    assert not away._leadership.held
    assert [line["event"] for line in lines] == ["broker_away"]


def test_a_lock_that_another_one_has_ends_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = scheduler(monkeypatch, LockNotOwnedError("another one has it"))
    with pytest.raises(LockNotOwnedError):
        lost.tick()
