"""A beat leads as long as its lock cannot be anybody else's, and not a moment longer."""

from worker.watch.leadership import Leadership


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
