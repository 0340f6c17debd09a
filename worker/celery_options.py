"""Celery options of the worker tier alone, and the schedule of what beat sends."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery.schedules import crontab

from shared.connections import broker_url
from shared.contract.names import TaskName
from shared.cron import parse_cron
from shared.settings import Settings

# What running tasks get after SIGTERM before they are handed back; supervisors wait longer.
DRAIN_S = 5.0
CLEAN_INTERVAL = timedelta(minutes=10)
_BACKUP_MESSAGE_S = 6 * 3600


def worker_options(settings: Settings) -> dict[str, Any]:
    """Return what workers and beat configure beyond what senders need."""
    url = broker_url(settings)
    return {
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A connection that broke does not mean that the work did.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "redbeat_redis_url": url,
        "redbeat_lock_timeout": 10,
        "beat_max_loop_interval": 2,
        "beat_schedule": {
            "sweep": {
                "task": TaskName.SWEEP.value,
                "schedule": timedelta(seconds=settings.limits.sweep_interval_s),
                # A sweep that waited longer than this is of no use any more.
                "options": {"expires": settings.limits.sweep_interval_s * 5},
            },
            "clean": {"task": TaskName.CLEAN.value, "schedule": CLEAN_INTERVAL},
            **_backup_entry(settings),
        },
    }


def _backup_entry(settings: Settings) -> dict[str, Any]:
    if not settings.backup.schedule:
        return {}
    cron = parse_cron(settings.backup.schedule)
    schedule = crontab(
        minute=_listed(cron.minutes),
        hour=_listed(cron.hours),
        day_of_month=_listed(cron.days),
        month_of_year=_listed(cron.months),
        day_of_week=_listed(cron.weekdays),
    )
    # Where no worker came for hours, the next one is soon enough.
    options = {"expires": _BACKUP_MESSAGE_S}
    return {"back_up": {"task": TaskName.BACK_UP.value, "schedule": schedule, "options": options}}


def _listed(numbers: Iterable[int]) -> str:
    # Text, for that is what redbeat can keep.
    return ",".join(str(number) for number in sorted(numbers))
