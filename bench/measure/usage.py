"""CPU and memory of processes with all their children, read from /proc in one pass."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
_SAMPLE_S = 2.0  # a pass costs some milliseconds of the CPU that is measured


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    own_s: float
    dead_children_s: float
    resident_mib: float
    private_mib: float


@dataclass
class Usage:
    """What processes took between two moments."""

    cpu_s: dict[str, float] = field(default_factory=dict)
    others_cpu_s: float = 0.0
    """What the rest of the machine took meanwhile: noise, when it is not close to nothing."""
    peak_rss_mib: dict[str, float] = field(default_factory=dict)


@asynccontextmanager
async def measured(pids: Callable[[], Mapping[str, int]]) -> AsyncIterator[Usage]:
    """Measure the named processes during a `with` block; this process counts as `harness`.

    Args:
        pids: asked again and again, since processes may start within the block.
    """
    usage = Usage()
    before, busy_before_s = _cpu_s(pids()), _busy_s()
    sampler = asyncio.create_task(_sample(pids, usage.peak_rss_mib))
    try:
        yield usage
    finally:
        sampler.cancel()
        _look(pids(), usage.peak_rss_mib)
        after, busy_s = _cpu_s(pids()), _busy_s() - busy_before_s
        usage.cpu_s = {name: round(after[name] - before.get(name, 0.0), 2) for name in after}
        usage.others_cpu_s = round(max(0.0, busy_s - sum(usage.cpu_s.values())), 2)


async def _sample(pids: Callable[[], Mapping[str, int]], peaks: dict[str, float]) -> None:
    while True:
        _look(pids(), peaks)
        await asyncio.sleep(_SAMPLE_S)


def _look(pids: Mapping[str, int], peaks: dict[str, float]) -> None:
    table = _read_table()
    for name, pid in _with_harness(pids).items():
        if pid not in table:
            continue
        # What children share with each other (PostgreSQL's buffers) counts once, at the root.
        size = table[pid].resident_mib
        size += sum(table[child].private_mib for child in _descendants(pid, table))
        peaks[name] = round(max(peaks.get(name, 0.0), size), 1)


def _cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    table = _read_table()
    found: dict[str, float] = {}
    for name, pid in _with_harness(pids).items():
        if pid not in table:
            continue
        total = table[pid].own_s
        # Servers are children of the harness, too; each is counted under its own name.
        if name != "harness":
            total += table[pid].dead_children_s
            for child in _descendants(pid, table):
                total += table[child].own_s + table[child].dead_children_s
        found[name] = total
    return found


def _busy_s() -> float:
    """All CPU seconds of the machine since its start, idling and waiting for disks apart."""
    user, nice, system, _idle, _waiting, *interrupts = (
        int(number) for number in (_PROC / "stat").read_text().split(maxsplit=8)[1:8]
    )
    return (user + nice + system + sum(interrupts)) / _TICKS_A_SECOND


def _with_harness(pids: Mapping[str, int]) -> dict[str, int]:
    return {**pids, "harness": os.getpid()}


def _descendants(root: int, table: Mapping[int, _Process]) -> list[int]:
    if root == os.getpid():
        return []
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _read_table() -> dict[int, _Process]:
    table: dict[int, _Process] = {}
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        try:
            # proc(5): the name may contain anything, so what follows its last bracket counts.
            stat = Path(entry.path, "stat").read_bytes().rpartition(b")")[2].split()
            memory = Path(entry.path, "statm").read_bytes().split()
        except OSError:  # it has just ended
            continue
        resident, shared = int(memory[1]), int(memory[2])
        table[int(entry.name)] = _Process(
            parent=int(stat[1]),
            own_s=(int(stat[11]) + int(stat[12])) / _TICKS_A_SECOND,
            dead_children_s=(int(stat[13]) + int(stat[14])) / _TICKS_A_SECOND,
            resident_mib=resident * _PAGE_MIB,
            private_mib=(resident - shared) * _PAGE_MIB,
        )
    return table
