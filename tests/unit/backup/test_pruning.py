"""What stays, by every rule, and what is never removed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.backup.catalogue import Backup, backups_among, find_backup
from ops.backup.errors import BackupNotFoundError
from ops.backup.places import BackupFile
from ops.backup.pruning import KeepPolicy, prune, surplus
from shared.ids import WorkspaceName

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)  # a Saturday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def backup(age: timedelta, *, workspace: str = "notes", verified: bool = True) -> Backup:
    return Backup(WorkspaceName(workspace), NOW - age, 1, verified)


def kept(backups: list[Backup], policy: KeepPolicy) -> list[timedelta]:
    """Ages of those that stay, newest first."""
    removed = surplus(backups, policy, now=NOW)
    return sorted(NOW - one.made_at for one in backups if one not in removed)


EVERY_SIX_HOURS = [backup(number * 6 * HOUR) for number in range(400)]


@pytest.mark.parametrize(
    ("policy", "ages"),
    [
        (KeepPolicy(last=3), [0 * HOUR, 6 * HOUR, 12 * HOUR]),
        # 12:00 today, then 18:00 of the days before.
        (KeepPolicy(daily=3), [0 * HOUR, 18 * HOUR, 42 * HOUR]),
        # The newest of this week, then the Sundays before.
        (KeepPolicy(weekly=3), [0 * HOUR, 5 * DAY + 18 * HOUR, 12 * DAY + 18 * HOUR]),
        # The last of October and of September at 18:00.
        (KeepPolicy(monthly=3), [0 * HOUR, 27 * DAY + 18 * HOUR, 58 * DAY + 18 * HOUR]),
        (KeepPolicy(last=2, daily=2), [0 * HOUR, 6 * HOUR, 18 * HOUR]),
    ],
)
def test_each_rule_keeps_the_newest_of_its_periods(
    policy: KeepPolicy, ages: list[timedelta]
) -> None:
    assert kept(EVERY_SIX_HOURS, policy) == ages


def test_days_without_a_backup_do_not_count() -> None:
    backups = [backup(age * DAY) for age in (30, 100, 101, 200)]
    assert kept(backups, KeepPolicy(daily=3)) == [30 * DAY, 100 * DAY, 101 * DAY]


def test_without_a_rule_everything_stays() -> None:
    assert surplus(EVERY_SIX_HOURS, KeepPolicy(), now=NOW) == []


def test_what_was_never_read_back_does_not_count_and_goes_when_nobody_can_be_at_it() -> None:
    verified, being_made = backup(2 * HOUR), backup(HOUR, verified=False)
    abandoned = backup(10 * DAY, verified=False)
    backups = [verified, being_made, abandoned]
    assert surplus(backups, KeepPolicy(last=1), now=NOW) == [abandoned]
    # With nothing better, a copy that nobody read back is more than nothing.
    assert surplus([abandoned], KeepPolicy(last=1), now=NOW) == []


backups_of_any_kind = st.lists(
    st.builds(
        Backup,
        workspace=st.sampled_from([WorkspaceName("notes"), WorkspaceName("other")]),
        made_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 28)).map(  # noqa: DTZ001 - UTC is added
            lambda moment: moment.replace(tzinfo=UTC, microsecond=0)
        ),
        size_bytes=st.just(1),
        is_verified=st.booleans(),
    ),
    unique_by=lambda one: one.name,
)
policies = st.builds(KeepPolicy, *(st.integers(0, 4) for _ in range(4)))


@given(backups_of_any_kind, policies)
def test_the_newest_verified_one_of_each_workspace_always_stays(
    backups: list[Backup], policy: KeepPolicy
) -> None:
    removed = surplus(backups, policy, now=NOW)
    for workspace in {one.workspace for one in backups if one.is_verified}:
        its = [one for one in backups if one.workspace == workspace and one.is_verified]
        assert max(its, key=lambda one: one.made_at) not in removed
        assert len(set(its) - set(removed)) >= min(policy.last, len(its))


@given(backups_of_any_kind, policies, st.randoms())
def test_order_and_other_workspaces_change_nothing_and_once_is_enough(
    backups: list[Backup], policy: KeepPolicy, random: object
) -> None:
    removed = surplus(backups, policy, now=NOW)
    shuffled = list(backups)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis' Random
    assert surplus(shuffled, policy, now=NOW) == removed
    alone = [one for one in backups if one.workspace == "notes"]
    assert surplus(alone, policy, now=NOW) == [one for one in removed if one.workspace == "notes"]
    assert surplus([one for one in backups if one not in removed], policy, now=NOW) == []


class MemoryPlace:
    """Files in memory."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)

    def list(self) -> list[BackupFile]:
        return [BackupFile(name, 1) for name in sorted(self.names)]

    @contextmanager
    def reader(self, name: str) -> Iterator[IO[bytes]]:
        yield BytesIO()

    def writer(self, name: str) -> AbstractContextManager[IO[bytes]]:
        raise NotImplementedError

    def delete(self, name: str) -> None:
        self.names.remove(name)


def both(stem: str) -> tuple[str, str]:
    return f"{stem}.ragfleet", f"{stem}.receipt.json"


STRANGERS = ("notes.ragfleet", "x-20261301T000000Z.ragfleet", "Notes-20200101T000000Z.ragfleet",
             "notes-20200101T000000Z.ragfleet.old", "vacation.jpg", "settings.json")  # fmt: skip


def test_only_files_with_our_names_are_removed_receipts_and_all() -> None:
    old, new = both("notes-20261101T000000Z"), both("notes-20261102T000000Z")
    other = both("other-20200101T000000Z")
    place = MemoryPlace(*old, *new, *other, *STRANGERS)

    assert [one.name for one in prune(place, KeepPolicy(last=1), now=NOW, dry_run=True)] == [old[0]]
    assert len(place.names) == 6 + len(STRANGERS)
    prune(place, KeepPolicy(last=1), now=NOW)
    assert sorted(place.names) == sorted([*new, *other, *STRANGERS])


def test_other_workspaces_can_be_left_alone() -> None:
    place = MemoryPlace(*both("a-20261101T000000Z"), *both("a-20261102T000000Z"),
                        *both("b-20261101T000000Z"), *both("b-20261102T000000Z"))  # fmt: skip
    removed = prune(place, KeepPolicy(last=1), now=NOW, only=[WorkspaceName("a")])
    assert [one.name for one in removed] == ["a-20261101T000000Z.ragfleet"]


def test_a_backup_is_found_by_its_name_and_the_latest_is_one_that_was_read_back() -> None:
    unread = "notes-20261103T000000Z.ragfleet"
    place = MemoryPlace(*both("notes-20261101T000000Z"), *both("notes-20261102T000000Z"), unread,
                        *both("other-20261104T000000Z"))  # fmt: skip
    notes, none = WorkspaceName("notes"), WorkspaceName("none")

    assert find_backup(place, "latest", notes).name == "notes-20261102T000000Z.ragfleet"
    assert not find_backup(place, unread, None).is_verified
    for name, workspace in (("latest", none), ("notes-20200101T000000Z.ragfleet", notes)):
        with pytest.raises(BackupNotFoundError):
            find_backup(place, name, workspace)
    assert len(backups_among(place.list())) == 4
