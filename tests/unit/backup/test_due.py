"""What is due is made once, tried again where it may work later, and the old ones removed."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.backup import making, running
from ops.backup.catalogue import Backup, backups_among, newest
from ops.backup.making import Made
from ops.backup.places import BackupFile, BackupPlace, DirectoryBackupPlace
from ops.backup.running import Now, back_up, back_up_due
from shared.errors import (
    AppError,
    LedgerUnavailableError,
    SettingsError,
    WorkspaceBusyError,
    WorkspaceNotFoundError,
)
from shared.ids import WorkspaceName
from shared.settings import Settings, load_settings

A, B, C = WorkspaceName("a"), WorkspaceName("b"), WorkspaceName("c")


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self, text: str) -> None:
        self.time = datetime.fromisoformat(text).replace(tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


class World:
    """Workspaces whose backups are empty files, and which fail as they are told to."""

    def __init__(self, folder: Path) -> None:
        self.place = DirectoryBackupPlace(folder)
        self.failures: dict[str, list[Exception]] = {}
        self.attempts: Counter[str] = Counter()
        self.times_away = 0
        """So often the ledger does not even say which workspaces there are."""

    def has(self, workspace: str, moment: str) -> None:
        made_at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        backup = Backup(WorkspaceName(workspace), made_at)
        for name in (backup.name, backup.receipt):
            with self.place.writer(name):
                pass

    def backups(self) -> list[str]:
        return [
            f"{one.workspace} {one.made_at:%d %H:%M:%S}" for one in backups_among(self.place.list())
        ]

    def maker(self, settings: Settings, place: BackupPlace, *, now: Now) -> "Maker":
        return Maker(self, now)


class Maker:
    """Has the methods of the real one."""

    def __init__(self, world: World, now: Now) -> None:
        self._world, self._now = world, now

    async def due(self, names: Iterable[WorkspaceName], since: datetime) -> list[WorkspaceName]:
        backups = backups_among(self._world.place.list())
        found = {name: newest(backups, name) for name in names}
        return [name for name, one in found.items() if one is None or one.made_at < since]

    async def make(self, name: WorkspaceName, *, since: datetime | None = None) -> Made | None:
        self._world.attempts[name] += 1
        if failures := self._world.failures.get(name):
            raise failures.pop(0)
        if since is not None and not await self.due([name], since):
            return None
        self._world.has(name, self._now().replace(tzinfo=None).isoformat())
        return Made(Backup(name, self._now()), 1, 1.0, 1.0)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)

    async def names(_settings: Settings) -> list[WorkspaceName]:
        if made.times_away:
            made.times_away -= 1
            raise LedgerUnavailableError
        return [A, B]

    monkeypatch.setattr(running, "Maker", made.maker)
    monkeypatch.setattr(running, "workspace_names", names)
    return made


def settings(**more: str) -> Settings:
    variables = {"USE_EXTERNAL_STORAGE": "false", "BACKUP_SCHEDULE": "0 3 * * *"}
    return load_settings(None, overrides=variables | more)


async def due(world: World, clock: Clock, **more: str) -> running.Outcome:
    return await back_up_due(settings(**more), world.place, now=clock.now, sleep=clock.sleep)


async def test_what_has_no_backup_since_the_schedule_said_so_is_backed_up(world: World) -> None:
    world.has("a", "2026-11-28 03:00:01")
    world.has("b", "2026-11-28 02:59:59")
    clock = Clock("2026-11-28 09:00:00")  # long after: nobody was there at three

    outcome = await due(world, clock)
    assert [made.backup.workspace for made in outcome.made] == [B]
    assert world.backups() == ["a 28 03:00:01", "b 28 02:59:59", "b 28 09:00:00"]
    assert not (await due(world, clock)).made
    assert clock.slept == []


async def test_the_place_is_listed_once_for_all_workspaces(tmp_path: Path) -> None:
    class Counting(DirectoryBackupPlace):
        listed = 0

        def list(self) -> list[BackupFile]:
            self.listed += 1
            return super().list()

    place, since = Counting(tmp_path), datetime(2026, 11, 28, 3, tzinfo=UTC)
    for name, moment in ((A, since), (B, since - timedelta(seconds=1))):
        for file in (Backup(name, moment).name, Backup(name, moment).receipt):
            with place.writer(file):
                pass
    maker = making.Maker(settings(), place, now=lambda: since)

    assert await maker.due([A, B, C], since) == [B, C]
    assert place.listed == 1


async def test_a_message_before_our_own_clock_strikes_waits_for_it(world: World) -> None:
    world.has("a", "2026-11-27 03:00:00")
    world.has("b", "2026-11-27 03:00:00")
    clock = Clock("2026-11-28 02:59:50")

    assert len((await due(world, clock)).made) == 2
    assert clock.slept == [10]
    clock = Clock("2026-11-28 02:59:00")
    assert not (await due(world, clock)).made
    assert clock.slept == []


async def test_one_that_fails_does_not_stop_the_others(world: World) -> None:
    world.failures = {"a": [WorkspaceNotFoundError()]}
    clock = Clock("2026-11-28 03:00:00")

    outcome = await due(world, clock)
    assert list(outcome.failed) == [A]
    assert world.backups() == ["b 28 03:00:00"]
    assert world.attempts == {"a": 1, "b": 1}


async def test_an_error_that_nobody_foresaw_is_no_exception(world: World) -> None:
    world.failures = {"a": [ZeroDivisionError()]}
    outcome = await back_up(settings(), world.place, [A, B])
    assert outcome.failed[A].code == AppError.code
    assert [made.backup.workspace for made in outcome.made] == [B]


async def test_what_is_busy_or_away_is_tried_again_for_an_hour(world: World) -> None:
    world.failures = {
        "a": [WorkspaceBusyError(), LedgerUnavailableError()],
        "b": [WorkspaceBusyError() for _ in range(1000)],
    }
    clock = Clock("2026-11-28 03:00:00")

    outcome = await due(world, clock)
    assert world.backups() == ["a 28 03:02:00"]
    assert list(outcome.failed) == [B]
    assert 3600 <= sum(clock.slept) <= 3660


async def test_a_ledger_that_is_away_at_the_beginning_is_asked_again(world: World) -> None:
    world.times_away = 2
    clock = Clock("2026-11-28 03:00:00")

    assert len((await due(world, clock)).made) == 2
    assert clock.slept == [60, 60]


async def test_a_new_backup_that_is_being_read_back_is_not_made_again(tmp_path: Path) -> None:
    since = datetime(2026, 11, 28, 3, tzinfo=UTC)
    # Writing it took two hours: it is as old as its beginning.
    place, clock = DirectoryBackupPlace(tmp_path), Clock("2026-11-28 05:10:00")
    with place.writer(Backup(A, since + timedelta(minutes=1)).name):
        pass
    maker = making.Maker(settings(), place, now=clock.now)

    assert await maker.is_wanted(B, since)
    with pytest.raises(WorkspaceBusyError, match="is being read back"):
        await maker.is_wanted(A, since)
    await clock.sleep(1799)
    with pytest.raises(WorkspaceBusyError, match="is being read back"):
        await maker.is_wanted(A, since)
    await clock.sleep(1)
    assert await maker.is_wanted(A, since)  # whoever wrote it is dead


async def test_a_backup_that_was_never_read_back_is_not_waited_for_days_later(
    tmp_path: Path,
) -> None:
    since = datetime(2026, 11, 1, 3, tzinfo=UTC)  # once a month
    place, clock = DirectoryBackupPlace(tmp_path), Clock("2026-11-28 03:00:00")
    with place.writer(Backup(A, since + timedelta(minutes=1)).name):
        pass
    assert await making.Maker(settings(), place, now=clock.now).is_wanted(A, since)


async def test_old_ones_are_removed_where_a_new_one_was_made(world: World) -> None:
    for workspace in ("a", "b"):
        for day in (25, 26, 27):
            world.has(workspace, f"2026-11-{day} 03:00:00")
    world.failures = {"b": [WorkspaceNotFoundError()]}
    clock = Clock("2026-11-28 03:00:00")

    rules = {"BACKUP_KEEP_DAILY": "0", "BACKUP_KEEP_WEEKLY": "0", "BACKUP_KEEP_MONTHLY": "0"}
    await due(world, clock, **rules, BACKUP_KEEP_LAST="2")
    assert world.backups() == [
        "a 27 03:00:00", "a 28 03:00:00", "b 25 03:00:00", "b 26 03:00:00", "b 27 03:00:00"
    ]  # fmt: skip


async def test_without_a_schedule_nothing_is_due(world: World) -> None:
    with pytest.raises(SettingsError, match="BACKUP_SCHEDULE is not set"):
        await due(world, Clock("2026-11-28 03:00:00"), BACKUP_SCHEDULE="")
