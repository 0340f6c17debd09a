"""Runs `ragfleet migrate` as a user does, and takes the time of what it says it is doing."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure.arithmetic import ratio

_ROOT = Path(__file__).parents[2]
_LOOK_S = 0.2
_KIB_A_MIB = 1024
_MEGABYTE = 1_000_000
# How lines begin that the command prints when it has done something.
_DONE = {"In ": "looked", "copy ": "copied", "write ": "copied", "verify ": "verified"}


@dataclass
class Moved:
    """When a command came how far, in seconds since its start, and how large it got."""

    done_s: dict[str, float] = field(default_factory=dict)
    peak_rss_mib: float = 0.0
    error: str = ""

    def figures(self, *, items: int, size_bytes: int) -> dict[str, Any]:
        """Return what is worth writing down of a move of so much."""
        copy_s = self._between("looked", "copied")
        found: dict[str, Any] = {
            "items": items,
            "megabytes": round(size_bytes / _MEGABYTE, 1),
            "look_s": self._between("", "looked"),
            "copy_s": copy_s,
            "verify_s": self._between("copied", "verified"),
            "peak_rss_mib": self.peak_rss_mib,
        }
        if copy_s:
            found["items_per_s"] = round(items / copy_s)
            found["megabytes_per_s"] = ratio(found["megabytes"], copy_s)
        return found | ({"error": self.error} if self.error else {})

    def _between(self, one: str, two: str) -> float | None:
        if two not in self.done_s:
            return None
        return round(self.done_s[two] - self.done_s.get(one, 0.0), 1)


async def move(
    words: Sequence[str], variables: Mapping[str, str], *, cwd: Path, timeout_s: float
) -> Moved:
    """Run `ragfleet migrate` with these words; what it did until a failure is told, too.

    Args:
        words: of the command line.
        variables: the settings.
        cwd: where no `.env` lies.
        timeout_s: after which it is killed.
    """
    started_s = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "ops.cli", "migrate", *words),
        env={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(_ROOT),
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "150",
            **variables,
        },
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    moved = Moved()
    sampler = asyncio.create_task(_watch_memory(process.pid, moved))
    try:
        async with asyncio.timeout(timeout_s):
            last = await _follow(process, moved, started_s)
            code = await process.wait()
        moved.error = last if code else ""
    except TimeoutError:
        moved.error = f"not done after {timeout_s:.0f} s"
    finally:
        sampler.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    return moved


async def _follow(process: asyncio.subprocess.Process, moved: Moved, started_s: float) -> str:
    assert process.stdout is not None  # noqa: S101 - asked for above
    last = ""
    async for line in process.stdout:
        last = line.decode(errors="replace").strip() or last
        for beginning, what in _DONE.items():
            if last.startswith(beginning):
                moved.done_s.setdefault(what, time.monotonic() - started_s)
    return last


async def _watch_memory(pid: int, moved: Moved) -> None:
    while True:
        with suppress(OSError, StopIteration):  # it has just ended
            moved.peak_rss_mib = _peak_rss_mib(pid)
        await asyncio.sleep(_LOOK_S)


def _peak_rss_mib(pid: int) -> float:
    """Read the most that a process ever held; as it only grows, a look now and then is enough."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return round(int(peak.split()[1]) / _KIB_A_MIB, 1)
