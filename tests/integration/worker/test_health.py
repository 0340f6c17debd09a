"""A real worker says whether it takes messages, and a real beat whether it sends sweeps."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from shared.connections import broker_url
from shared.contract.names import QueueName
from tests.integration.worker.processes import POLL_S, PROJECT, START_TIMEOUT_S, Stack
from worker.health import UnhealthyError, judge, read_pulse


async def pulse_of(path: Path, condition: str) -> dict[str, Any]:
    """Wait until the worker wrote a pulse in which something stands."""
    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            if await asyncio.to_thread(path.exists):
                pulse: dict[str, Any] = json.loads(await asyncio.to_thread(path.read_text))
                if pulse[condition]:
                    return pulse
            await asyncio.sleep(POLL_S)


async def test_a_worker_that_takes_messages_says_so_until_it_ends(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "pulse"
    worker = await stack.worker(WORKER_PULSE_FILE=str(path))
    await pulse_of(path, "turned_s")
    assert judge(read_pulse(path), now_s=time.monotonic()) == "The worker takes messages."
    worker.process.terminate()
    await worker.ended_within(20)
    assert not path.exists()


async def test_a_worker_that_lives_but_no_longer_listens_is_found_out(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "pulse"
    await stack.worker(QueueName.PREPARE, WORKER_PULSE_FILE=str(path))
    app = Celery(broker=broker_url(stack.settings), set_as_current=False)
    answers = await asyncio.to_thread(
        app.control.cancel_consumer, QueueName.PREPARE.value, reply=True
    )
    assert answers
    await stack.upload("doc")
    pulse = await pulse_of(path, "stalled_since_s")
    assert pulse["waiting"] == ["prepare"]
    assert judge(pulse, now_s=pulse["written_s"])  # it may wait for a while
    later_s = pulse["stalled_since_s"] + 61
    with pytest.raises(UnhealthyError, match="Messages wait in prepare"):
        judge(pulse | {"written_s": later_s, "turned_s": later_s}, now_s=later_s)


async def test_a_beat_is_well_when_it_sends_sweeps(stack: Stack, tmp_path: Path) -> None:
    environment = {**os.environ, **stack.variables}  # noqa: TID251 - a child inherits PATH
    asked = [sys.executable, "-m", "worker.health", "--beat"]

    def ask() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            asked, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )

    before = await asyncio.to_thread(ask)
    assert (before.returncode, before.stdout) == (1, "")
    with (tmp_path / "beat.log").open("wb") as log:
        beat = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "worker.beat"],
            cwd=PROJECT,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while (answer := await asyncio.to_thread(ask)).returncode:
                    assert beat.poll() is None
        finally:
            beat.kill()
            beat.wait()
    assert answer.stdout == "Sweeps are sent.\n"
