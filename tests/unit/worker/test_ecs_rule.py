"""A worker asks to be spared while it works, and stands aside now and then."""

from worker.ecs.rule import ProtectionRule


def rule() -> ProtectionRule:
    return ProtectionRule(stretch_s=300, gap_s=60, linger_s=10)


def test_a_worker_without_work_is_not_protected() -> None:
    assert not rule().wants(0)


def test_it_is_protected_from_the_first_piece_of_work_to_a_while_after_the_last() -> None:
    shift = rule()
    shift.began("one", 0)
    shift.began("two", 1)
    assert shift.wants(1)
    shift.ended("one", 2)
    shift.ended("two", 20)
    assert shift.wants(29.9)
    assert not shift.wants(30)


def test_work_that_comes_within_the_while_keeps_it_protected() -> None:
    shift = rule()
    shift.began("one", 0)
    assert shift.wants(0)
    shift.ended("one", 1)
    shift.began("two", 9)
    assert shift.wants(11)


def test_a_worker_that_always_works_stands_unprotected_for_a_moment() -> None:
    shift = rule()
    shift.began("old", 0)
    assert shift.wants(0)
    shift.began("new", 301)
    assert shift.wants(301)  # what was begun before is still to end
    shift.ended("old", 310)
    assert not shift.wants(310)
    assert not shift.wants(369)
    assert shift.wants(370)


def test_one_long_piece_of_work_is_protected_to_its_end() -> None:
    shift = rule()
    shift.began("backup", 0)
    assert shift.wants(0)
    shift.began("short", 400)
    shift.ended("short", 410)
    assert shift.wants(7200)
    shift.ended("backup", 7201)
    assert not shift.wants(7201)


def test_a_message_that_is_delivered_twice_ends_once() -> None:
    shift = rule()
    shift.began("one", 0)
    shift.began("one", 0)
    shift.ended("one", 5)
    shift.ended("one", 5)
    assert shift.idle
    assert not shift.wants(15)
