"""When beat asks for backups, and what becomes of the command that makes them."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import structlog
from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder

from shared.contract.names import TaskName
from shared.contract.payloads import BackUp
from shared.settings import load_settings
from worker.back_up import _COMMAND, back_up
from worker.celery_options import worker_options

if TYPE_CHECKING:
    from worker.context import WorkerContext

MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC)


def entries(schedule: str) -> dict[str, Any]:
    settings = load_settings(None, overrides={"BACKUP_SCHEDULE": schedule})
    found: dict[str, Any] = worker_options(settings)["beat_schedule"]
    return found


def test_without_a_schedule_nothing_is_sent() -> None:
    assert set(entries("")) == {"sweep", "clean"}


@pytest.mark.parametrize("kept", [False, True])
def test_beat_sends_a_message_when_the_schedule_says_so(kept: bool) -> None:
    entry = entries("30 3 * * 6,7")["back_up"]
    assert entry["task"] == TaskName.BACK_UP
    schedule = entry["schedule"]
    if kept:  # as redbeat keeps it in the broker
        text = json.dumps(schedule, cls=RedBeatJSONEncoder)
        schedule = json.loads(text, cls=RedBeatJSONDecoder)
    now = MIDNIGHT
    schedule.nowfun = lambda: now

    due = []
    last_run = MIDNIGHT - timedelta(minutes=1)
    for minutes in range(0, 3 * 24 * 60, 10):
        now = MIDNIGHT + timedelta(minutes=minutes)
        if schedule.is_due(last_run).is_due:
            due.append(now)
            last_run = now
    half_past_three = MIDNIGHT + timedelta(hours=3, minutes=30)
    assert due == [half_past_three, half_past_three + timedelta(days=1)]


@pytest.fixture
def context() -> "WorkerContext":
    return cast("WorkerContext", SimpleNamespace(one_backup=asyncio.Lock()))


def command(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def test_the_command_runs_to_its_end(context: "WorkerContext", tmp_path: Path) -> None:
    file = tmp_path / "made"
    with structlog.testing.capture_logs() as logs:
        await back_up(BackUp(), context, command=command(f"open({str(file)!r}, 'w')"))
    assert file.exists()
    assert logs == []


async def test_a_message_that_comes_while_one_is_carried_out_does_not_wait(
    context: "WorkerContext", tmp_path: Path
) -> None:
    file = tmp_path / "made"
    async with context.one_backup:
        await back_up(BackUp(), context, command=command(f"open({str(file)!r}, 'w')"))
    assert not file.exists()


async def test_a_command_that_fails_is_told(context: "WorkerContext") -> None:
    with structlog.testing.capture_logs() as logs:
        await back_up(BackUp(), context, command=command("raise SystemExit(1)"))
    assert [(line["event"], line["exit_code"]) for line in logs] == [("backups_incomplete", 1)]


async def test_a_worker_that_stops_lets_the_command_clean_up(
    context: "WorkerContext", tmp_path: Path
) -> None:
    fifo, cleaned = tmp_path / "begun", tmp_path / "cleaned"
    os.mkfifo(fifo)
    code = f"""
try:
    open({str(fifo)!r}, "w").close()
    import signal
    signal.pause()
finally:
    open({str(cleaned)!r}, "w").close()
"""
    running = asyncio.create_task(back_up(BackUp(), context, command=command(code)))
    await asyncio.to_thread(fifo.read_bytes)  # until the other end is opened and closed
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned.exists()


def test_there_is_a_command_of_this_name() -> None:
    help_ = subprocess.run([*_COMMAND, "--help"], check=False, capture_output=True, text=True)
    assert "BACKUP_SCHEDULE" in help_.stdout, help_.stderr
