"""One supervised process: its description, its start under a guard, its end."""

import asyncio
import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ops.local import guard
from ops.local.errors import ServiceNotReadyError
from ops.local.identity import kill_all, session_members
from ops.local.log_files import open_log, tail

KILL_MARGIN_S = 10.0  # what a guard may need after its patience ended, on a busy machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """How to run one process.

    Secrets belong into `environment` or a 0600 file, never into `argv`: everybody may list that.
    """

    name: str
    argv: tuple[str, ...]
    log_path: Path
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All of it: nothing is inherited from the supervisor."""
    user: str | None = None
    """The user to run as; None keeps the supervisor's."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 15.0
    """After this it is killed, with everything it started."""


class ChildProcess:
    """A process that cannot outlive this one, nor leave processes of its own behind.

    Start it from a thread that lives as long as the process shall: the kernel ends it with the
    *thread* that started it.
    """

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.pid: int | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._stop_requested = False

    @property
    def guard_pid(self) -> int | None:
        """The pid of the guard: SIGTERM to it stops the process in order."""
        return None if self._guard is None else self._guard.pid

    @property
    def running(self) -> bool:
        """Whether the process, or anything it started, is alive."""
        return self._guard is not None and self._guard.poll() is None

    async def start(self) -> None:
        """Start the process; returns when it has its pid.

        Raises:
            ServiceNotReadyError: the program cannot be executed.
        """
        read_fd, write_fd = os.pipe()
        try:
            # Not in a helper thread: the guard would be told to stop when that thread ends.
            self._guard = self._start_guard(write_fd)
        finally:
            os.close(write_fd)
        with os.fdopen(read_fd, "rb") as report:
            line = await asyncio.to_thread(report.readline)
        if not line:
            code = await self.wait()
            reason = await asyncio.to_thread(tail, self.spec.log_path, lines=1)
            raise ServiceNotReadyError(
                f"{self.spec.name} did not start (exit code {code}): {reason}"
            )
        self.pid = int(line)

    async def wait(self) -> int:
        """Wait until the process and all it started have ended; answers its exit code."""
        if self._guard is None:
            return 0
        if self._guard.poll() is None:
            await _ended(self._guard.pid)
        code = self._guard.wait()
        if code < 0 and self.pid is not None:
            # The guard itself was killed: its process died with it, we do the rest of its duty.
            session = partial(session_members, self.pid)
            await asyncio.to_thread(kill_all, session)
        return code

    def request_stop(self) -> None:
        """Ask the process to stop; ask again to have it killed at once."""
        self._stop_requested = True
        if self.running and self._guard is not None:
            self._guard.terminate()

    async def stop(self) -> int:
        """Stop the process in order, or by force when it takes too long; answers its exit code."""
        if not self._stop_requested:
            self.request_stop()
        try:
            async with asyncio.timeout(self.spec.stop_timeout_s + KILL_MARGIN_S):
                return await self.wait()
        except TimeoutError:
            if self._guard is not None:
                self._guard.kill()  # the guard hangs: its process dies with it
            return await self.wait()

    def _start_guard(self, report_fd: int) -> subprocess.Popen[bytes]:
        account = None if self.spec.user is None else pwd.getpwnam(self.spec.user)
        orders = guard.Orders(
            parent_pid=os.getpid(),
            report_fd=report_fd,
            uid=None if account is None else account.pw_uid,
            gid=None if account is None else account.pw_gid,
            stop_signal=self.spec.stop_signal,
            stop_timeout_s=self.spec.stop_timeout_s,
        )
        with open_log(self.spec.log_path) as log:
            return subprocess.Popen(  # noqa: S603 - our own guard
                [sys.executable, "-I", "-S", guard.__file__, json.dumps(orders), *self.spec.argv],
                cwd=self.spec.cwd,
                env=dict(self.spec.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(report_fd,),
                start_new_session=True,  # Ctrl-C in a terminal is the supervisor's alone
            )


async def _ended(pid: int) -> None:
    """Wait for the end of a child without a thread and without polling."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    pidfd = os.pidfd_open(pid)
    try:
        loop.add_reader(pidfd, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
