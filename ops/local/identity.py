"""Which process is which: recognising one again after pids were reused, and what belongs to it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_S = 0.02  # processes that are not our children can only be looked at


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that a reused pid cannot be mistaken for."""

    pid: int
    started: str
    """When it started: the machine's boot id and the clock ticks since then."""


def identify(pid: int) -> Identity | None:
    """The identity of a living process; None when there is none (a zombie counts as none)."""
    try:
        after_name = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2]
    except OSError:
        return None
    fields = after_name.split()  # proc(5): these start with field 3, the state
    if fields[0] in "ZX":
        return None
    return Identity(pid=pid, started=f"{boot_id()}/{fields[19]}")


def boot_id() -> str:
    """What the kernel calls this run of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def is_alive(identity: Identity | None) -> bool:
    """Whether exactly this process runs."""
    return identity is not None and identify(identity.pid) == identity


def living_pids() -> Iterator[int]:
    """Every process that is alive now."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and identify(int(entry.name)) is not None:
            yield int(entry.name)


def session_members(leader_pid: int) -> list[int]:
    """The living processes of the session that `leader_pid` opened."""
    members = []
    for pid in living_pids():
        try:
            if os.getsid(pid) == leader_pid:
                members.append(pid)
        except ProcessLookupError:
            continue
    return members


def working_in(folder: Path) -> list[int]:
    """The living processes whose current directory is `folder`, as far as we may look."""
    found = []
    for pid in living_pids():
        try:
            if (PROC / str(pid) / "cwd").readlink() == folder:
                found.append(pid)
        except OSError:
            continue
    return found


def signal_quietly(pid: int, signum: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Block until the condition holds; False when it did not in time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(POLL_S)
    return True


def kill_all(find: Callable[[], list[int]], timeout_s: float = 5.0) -> bool:
    """Kill what `find` finds until it finds nothing; False when something is left in the end."""

    def gone() -> bool:
        pids = find()
        for pid in pids:
            signal_quietly(pid, signal.SIGKILL)
        return not pids

    return wait_until(gone, timeout_s)
