"""Backs several workspaces up, one after the other; one that fails does not stop the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ops.backup.making import Made, Maker
from ops.backup.places import BackupPlace
from ops.backup.pruning import KeepPolicy, prune
from ops.migrate.opening import workspace_names
from ops.settings_in_use import settings_in_use
from shared.cron import parse_cron
from shared.errors import AppError, SettingsError, WorkspaceBusyError
from shared.ids import WorkspaceName
from shared.logs import get_logger
from shared.settings import Settings
from worker.retry import app_error_behind

_log = get_logger(__name__)

# Clocks of two hosts may differ by so much: beat's message comes before our own clock says so.
_SKEW = timedelta(seconds=30)
# What is busy or away may not be later; a day without a backup is worse than a late one.
_RETRY_PAUSE_S = 60.0
_ROUNDS = 60

Now = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]
_Due = tuple[datetime, list[WorkspaceName]]
"""Since when there should be a backup, and which workspaces have none since then."""


@dataclass
class Outcome:
    """What became of the workspaces."""

    made: list[Made] = field(default_factory=list)
    failed: dict[WorkspaceName, AppError] = field(default_factory=dict)


def utc_now() -> datetime:
    """Read this host's clock."""
    return datetime.now(UTC)


async def back_up(
    settings: Settings,
    place: BackupPlace,
    chosen: Iterable[WorkspaceName],
    *,
    now: Now = utc_now,
) -> Outcome:
    """Back the chosen workspaces up, or all of them where none is chosen.

    Raises:
        SettingsError: settings name no stores and nothing runs, or another process has the files.
        LedgerUnavailableError: the ledger is away, so nobody knows which ones there are.
    """
    settings = settings_in_use(settings)
    names = list(chosen) or await workspace_names(settings)
    outcome = Outcome()
    await _make_each(Maker(settings, place, now=now), names, None, outcome)
    return outcome


async def back_up_due(
    settings: Settings, place: BackupPlace, *, now: Now = utc_now, sleep: Sleep = asyncio.sleep
) -> Outcome:
    """Back up every workspace that has no backup since BACKUP_SCHEDULE said so; then prune.

    Safe to run at any time, and twice at once: what somebody else made is not made again. What is
    busy or away is tried again for an hour.

    Raises:
        SettingsError: there is no schedule, settings leave it open which stores are meant, or
            another process has them.
        LedgerUnavailableError: the ledger was away for an hour.
        BackupPlaceUnavailableError: the place could not be read for an hour.
    """
    if not settings.backup.schedule:
        sentence = "BACKUP_SCHEDULE is not set, so nothing is ever due; set it to a time of cron."
        raise SettingsError(sentence)
    settings = settings_in_use(settings)
    maker = Maker(settings, place, now=now)
    moment = now()

    async def look() -> _Due:
        names = await workspace_names(settings)
        return await _what_is_due(settings, maker, names, moment, sleep)

    since, waiting = await _patiently(look, sleep)
    outcome = Outcome()
    for _ in range(_ROUNDS):
        await _make_each(maker, waiting, since, outcome)
        waiting = [name for name, error in outcome.failed.items() if _may_succeed_later(error)]
        if not waiting:
            break
        await sleep(_RETRY_PAUSE_S)
    await _prune(settings, place, outcome, now=now)
    return outcome


async def _patiently(look: Callable[[], Awaitable[_Due]], sleep: Sleep) -> _Due:
    """Look again for an hour while something is away."""
    for _ in range(_ROUNDS - 1):
        try:
            return await look()
        except AppError as error:
            if not _may_succeed_later(error):
                raise
            _log.warning("backup_put_off", code=error.code)
        await sleep(_RETRY_PAUSE_S)
    return await look()


async def _what_is_due(
    settings: Settings, maker: Maker, names: list[WorkspaceName], moment: datetime, sleep: Sleep
) -> _Due:
    cron = parse_cron(settings.backup.schedule)
    since, following = cron.last(moment), cron.next(moment)
    waiting = await maker.due(names, since)
    if waiting or following - moment > _SKEW:
        return since, waiting
    await sleep((following - moment).total_seconds())
    return following, await maker.due(names, following)


async def _make_each(
    maker: Maker, names: Iterable[WorkspaceName], since: datetime | None, outcome: Outcome
) -> None:
    for name in names:
        try:
            made = await maker.make(name, since=since)
        except Exception as error:  # noqa: BLE001 - the edge: the others are backed up all the same
            known = app_error_behind(error) or _of_system(error)
            unforeseen = error if type(known) is AppError else None
            _log.error("backup_failed", workspace=name, code=known.code, exc_info=unforeseen)
            outcome.failed[name] = known
            continue
        outcome.failed.pop(name, None)
        if made is not None:
            outcome.made.append(made)
            _tell(made)


def _of_system(error: Exception) -> AppError:
    return AppError(str(error) if isinstance(error, OSError) else None)


def _may_succeed_later(error: AppError) -> bool:
    return error.retryable or isinstance(error, WorkspaceBusyError)


def _tell(made: Made) -> None:
    _log.info(
        "backup_made",
        workspace=made.backup.workspace,
        backup=made.backup.name,
        items=made.items,
        size_bytes=made.backup.size_bytes,
        took_s=round(made.took_s, 3),
        commits_paused_s=round(made.paused_s, 3),
    )


async def _prune(settings: Settings, place: BackupPlace, outcome: Outcome, *, now: Now) -> None:
    succeeded = [made.backup.workspace for made in outcome.made]
    if not succeeded:
        return
    policy = KeepPolicy.of(settings.backup)
    removed = await asyncio.to_thread(prune, place, policy, now=now(), only=succeeded)
    if removed:
        _log.info("backups_pruned", count=len(removed), backups=[one.name for one in removed])
