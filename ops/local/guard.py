"""The guard of one supervised process: starts it, ends it, and leaves nothing of it behind.

Run as a script by `process.py`, with the standard library alone so that it stays small. The guard
adopts whatever its process leaves behind, so "the guard has ended" means "all of it has ended";
SIGTERM (also sent by the kernel when the supervisor dies) stops the process, a second one kills it.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCHED = {signal.SIGTERM, signal.SIGCHLD}
IGNORED = {signal.SIGINT, signal.SIGHUP}
START_FAILED_CODE = 127  # what a shell answers for a program it cannot start


class Orders(TypedDict):
    """What the supervisor asks of a guard."""

    parent_pid: int
    report_fd: int
    uid: int | None
    gid: int | None
    stop_signal: int
    stop_timeout_s: float


def prctl(option: int, argument: int) -> None:
    """Set a property of this process; raises OSError when the kernel refuses."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def die_with(parent_pid: int, death_signal: int) -> None:
    """Have the kernel send `death_signal` to this process when the parent dies."""
    prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent_pid:  # it died before we asked
        os._exit(START_FAILED_CODE)


def start(orders: Orders, argv: list[str]) -> subprocess.Popen[bytes]:
    """Start the process in its own session, as the user it shall run as."""
    guard_pid = os.getpid()

    def before_exec() -> None:
        # Runs after the change of user, which would have cleared the death signal.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED | IGNORED)
        die_with(guard_pid, signal.SIGKILL)

    return subprocess.Popen(  # noqa: S603 - the supervisor's own command
        argv,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=orders["uid"],
        group=orders["gid"],
        extra_groups=None if orders["gid"] is None else [],
        preexec_fn=before_exec,  # noqa: PLW1509 - this process has one thread
    )


def watch(orders: Orders, child_pid: int) -> int:
    """Wait until the process ends or must be killed.

    Returns:
        Its exit code, 128 + n when signal n ended it or when it did not stop in time (137).
    """
    deadline_s: float | None = None
    while True:
        code = reap(child_pid)
        if code is not None:
            return code
        patience_s = 3600.0 if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        received = signal.sigtimedwait(WATCHED, patience_s)
        if received is None and deadline_s is not None:
            return 128 + signal.SIGKILL
        if received is not None and received.si_signo == signal.SIGTERM:
            if deadline_s is not None:
                return 128 + signal.SIGKILL
            deadline_s = time.monotonic() + orders["stop_timeout_s"]
            os.kill(child_pid, orders["stop_signal"])


def reap(child_pid: int) -> int | None:
    """Collect every ended child; the exit code of `child_pid` when it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return START_FAILED_CODE
        if pid == 0:
            return None
        if pid == child_pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def children_of(parent_pid: int) -> Iterator[int]:
    """The processes whose parent is `parent_pid`."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text(errors="replace").rpartition(")")[2]
        except OSError:  # it has just ended
            continue
        if int(after_name.split()[1]) == parent_pid:
            yield int(stat.parent.name)


def kill_the_rest(find_children: Callable[[int], Iterator[int]] = children_of) -> None:
    """Kill what is left; a killed process hands its own children to us, hence the loop."""
    while True:
        for pid in find_children(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main() -> int:
    """Guard one process from its start to its end; answers its exit code."""
    orders: Orders = json.loads(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED | IGNORED)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    die_with(orders["parent_pid"], signal.SIGTERM)
    try:
        process = start(orders, sys.argv[2:])
    except (OSError, subprocess.SubprocessError) as error:
        print(f"cannot start {sys.argv[2]}: {error}", file=sys.stderr)  # noqa: T201 - to the log
        return START_FAILED_CODE
    os.write(orders["report_fd"], f"{process.pid}\n".encode())
    os.close(orders["report_fd"])
    code = watch(orders, process.pid)
    kill_the_rest()
    process.returncode = code  # reaped here; else Popen complains when it is collected
    return code


if __name__ == "__main__":
    sys.exit(main())
