"""Looking at and ending a system that runs in the background, and starting one there."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.local.errors import AlreadyRunningError, ServiceNotReadyError, StopFailedError
from ops.local.identity import is_alive, signal_quietly, wait_until
from ops.local.leftovers import end_leftovers
from ops.local.log_files import open_log, tail
from ops.local.state import Layout, Phase, ServiceState

STOP_TIMEOUT_S = 120.0  # three levels of dependence, 30 s each, and some
HURRIED_TIMEOUT_S = 15.0
START_TIMEOUT_S = 180.0  # three levels of dependence, 60 s each


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service as a person wants to see it."""

    name: str
    running: bool
    phase: Phase
    pid: int | None
    restarts: int
    port: int | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The system of one DATA_DIR as a person wants to see it."""

    running: bool
    """Whether its supervisor lives."""
    phase: Phase
    supervisor_pid: int | None
    services: tuple[ServiceStatus, ...]


def status(data_dir: Path) -> Status:
    """What runs on this DATA_DIR now."""
    state = Layout(data_dir.resolve()).load()
    if state is None:
        return Status(running=False, phase=Phase.STOPPED, supervisor_pid=None, services=())
    running = is_alive(state.supervisor)
    return Status(
        running=running,
        phase=state.phase if running else Phase.STOPPED,
        supervisor_pid=state.supervisor.pid if running else None,
        services=tuple(map(_service_status, state.services)),
    )


def start_detached(
    argv: Sequence[str], data_dir: Path, *, timeout_s: float = START_TIMEOUT_S
) -> Status:
    """Run a command that calls `run_foreground` in the background, until it is ready. Blocks.

    It inherits our environment, but neither terminal nor session; it writes logs/supervisor.log.

    Raises:
        AlreadyRunningError: a supervisor runs on this DATA_DIR.
        ServiceNotReadyError: it ended or took too long; the message has its last words.
    """
    layout = Layout(data_dir.resolve())
    if status(layout.data_dir).running:
        raise AlreadyRunningError
    layout.make()
    log_path = layout.logs / "supervisor.log"
    with open_log(log_path) as log:
        since_bytes = log.tell()
        process = subprocess.Popen(  # noqa: S603 - our own command
            list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )

    def ready() -> bool:
        state = layout.load()
        mine = state is not None and state.supervisor.pid == process.pid
        return mine and state is not None and state.phase is Phase.READY

    wait_until(lambda: ready() or process.poll() is not None, timeout_s)
    if ready() and process.poll() is None:
        process.returncode = 0  # it shall outlive us; Popen would warn about exactly that
        return status(layout.data_dir)
    if process.poll() is None:
        stop(layout.data_dir)
        process.wait()
    last_words = tail(log_path, since_bytes=since_bytes)
    raise ServiceNotReadyError(f"The system did not start:\n{last_words}")


def stop(data_dir: Path) -> None:
    """Stop the system in order, by force if it must be; nothing is left. Blocks.

    Raises:
        StopFailedError: some process does not even obey SIGKILL.
    """
    layout = Layout(data_dir.resolve())
    state = layout.load()
    if state is None:
        return
    for signum, patience_s in (
        (signal.SIGTERM, STOP_TIMEOUT_S),
        (signal.SIGTERM, HURRIED_TIMEOUT_S),
        (signal.SIGKILL, HURRIED_TIMEOUT_S),
    ):
        if is_alive(state.supervisor):
            signal_quietly(state.supervisor.pid, signum)
            wait_until(lambda: not is_alive(state.supervisor), patience_s)
    latest = layout.load() or state  # services may have been restarted meanwhile
    if is_alive(state.supervisor) or not end_leftovers(latest):
        raise StopFailedError


def _service_status(service: ServiceState) -> ServiceStatus:
    running = is_alive(service.process)
    return ServiceStatus(
        name=service.name,
        running=running,
        phase=service.phase if running else Phase.STOPPED,
        pid=service.process.pid if service.process is not None and running else None,
        restarts=service.restarts,
        port=service.port,
        url=service.url,
    )
