"""Which backups are not needed any more, by a policy like that of restic's `forget`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from ops.backup.catalogue import Backup, backups_among
from ops.backup.places import BackupPlace
from shared.ids import WorkspaceName
from shared.settings_sections import BackupSettings

# A backup that is being written or read back has no receipt yet; it may take two days.
_ABANDONED_AFTER = timedelta(days=3)
_Period = Callable[[Backup], object]


@dataclass(frozen=True)
class KeepPolicy:
    """How many of a workspace's verified backups stay; 0: no rule of this kind."""

    last: int = 0
    """The newest ones."""
    daily: int = 0
    """The newest of a day, for so many days that have any."""
    weekly: int = 0
    """Likewise of a week of ISO 8601, which begins on Monday."""
    monthly: int = 0

    @classmethod
    def of(cls, settings: BackupSettings) -> "KeepPolicy":
        """Return the policy that settings name."""
        return cls(
            settings.keep_last, settings.keep_daily, settings.keep_weekly, settings.keep_monthly
        )

    @property
    def keeps_everything(self) -> bool:
        """Whether there is no rule at all."""
        return not (self.last or self.daily or self.weekly or self.monthly)


def surplus(backups: Iterable[Backup], policy: KeepPolicy, *, now: datetime) -> list[Backup]:
    """Choose what may be removed: what no rule keeps, and what was never finished.

    Each workspace is looked at alone. Its newest verified backup always stays, and so does
    everything where no rule is given.

    Args:
        backups: of any workspaces, in any order.
        policy: the rules; a backup that one of them keeps stays.
        now: an unverified backup that is older than three days will not be finished any more.
    """
    if policy.keeps_everything:
        return []
    return [
        backup
        for _, its in groupby(sorted(backups), key=attrgetter("workspace"))
        for backup in _surplus_of_one(list(its), policy, now)
    ]


def prune(
    place: BackupPlace,
    policy: KeepPolicy,
    *,
    now: datetime,
    only: Iterable[WorkspaceName] | None = None,
    dry_run: bool = False,
) -> list[Backup]:
    """Remove what is not needed any more, and return it.

    Args:
        place: where the backups are.
        policy: what stays.
        now: see `surplus`.
        only: these workspaces; left out: all that have backups.
        dry_run: remove nothing.

    Raises:
        BackupPlaceUnavailableError: the place is away or refuses us.
    """
    found = backups_among(place.list())
    if only is not None:
        names = set(only)
        found = [backup for backup in found if backup.workspace in names]
    chosen = surplus(found, policy, now=now)
    for backup in [] if dry_run else chosen:
        # A backup without its receipt does not count; a receipt alone would stay for ever.
        place.delete(backup.receipt)
        place.delete(backup.name)
    return chosen


def _surplus_of_one(backups: list[Backup], policy: KeepPolicy, now: datetime) -> list[Backup]:
    verified = [one for one in reversed(backups) if one.is_verified]
    if not verified:
        return []
    rules: list[tuple[int, _Period]] = [
        (policy.last, lambda one: one.made_at),
        (policy.daily, lambda one: one.made_at.date()),
        (policy.weekly, lambda one: one.made_at.isocalendar()[:2]),
        (policy.monthly, lambda one: (one.made_at.year, one.made_at.month)),
    ]
    kept: set[Backup] = set()  # every rule keeps the newest one, and there is a rule
    for count, period in rules:
        kept |= _newest_of_each(verified, period, count)
    return [one for one in backups if one not in kept and _may_go(one, verified[0], now)]


def _newest_of_each(newest_first: list[Backup], period: _Period, count: int) -> set[Backup]:
    chosen: dict[object, Backup] = {}
    for backup in newest_first:
        chosen.setdefault(period(backup), backup)
    return set(list(chosen.values())[:count])


def _may_go(backup: Backup, newest: Backup, now: datetime) -> bool:
    if backup.is_verified:
        return True
    return backup.made_at < min(newest.made_at, now - _ABANDONED_AFTER)
