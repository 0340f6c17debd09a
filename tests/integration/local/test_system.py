import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import asyncpg
import pytest

from ops.local.control import Status, start_detached, status, stop
from ops.local.errors import AlreadyRunningError, ServiceNotReadyError
from ops.local.guard import children_of
from ops.local.identity import Identity, identify, is_alive, wait_until

DEMO = Path(__file__).with_name("demo_system.py")
TIMEOUT_S = 60
NAMES = ["postgres", "valkey", "worker"]


def command(folder: Path, *more: str) -> list[str]:
    # The tests' own import path, so that the demo finds the packages from wherever it runs.
    code = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}; import runpy; "
    code += f"sys.argv = sys.argv[1:]; runpy.run_path({str(DEMO)!r}, run_name='__main__')"
    return [sys.executable, "-c", code, "demo", str(folder), *more]


def members(pid: int | None) -> list[Identity]:
    assert pid is not None
    own = identify(pid)
    below = [member for child in children_of(pid) for member in members(child)]
    return below if own is None else [own, *below]


def url(folder: Path) -> str:
    password = json.loads((folder / "secrets.json").read_text())["postgres_password"]
    port = json.loads((folder / "run" / "ports.json").read_text())["postgres"]
    return f"postgresql://fleet:{password}@127.0.0.1:{port}/fleet"


async def execute(folder: Path, query: str) -> object:
    connection = await asyncpg.connect(url(folder))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def all_running(seen: Status) -> bool:
    return seen.running and [each.name for each in seen.services if each.running] == NAMES


async def test_a_detached_system_starts_shows_itself_and_stops(open_folder: Path) -> None:
    folder = open_folder / "data"
    seen = start_detached(command(folder), folder)
    assert all_running(seen)
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    everybody = members(seen.supervisor_pid)
    assert len(everybody) > 10
    await execute(folder, "CREATE TABLE kept AS SELECT 7 AS n")
    ports = {each.name: each.port for each in seen.services}

    with pytest.raises(AlreadyRunningError):
        start_detached(command(folder), folder)
    stop(folder)
    assert not any(map(is_alive, everybody))
    assert not status(folder).running

    again = start_detached(command(folder), folder)
    assert {each.name: each.port for each in again.services} == ports
    assert await execute(folder, "SELECT n FROM kept") == 7
    stop(folder)
    stop(folder)


async def test_nothing_survives_a_killed_supervisor_and_the_next_one_starts(
    open_folder: Path,
) -> None:
    seen = start_detached(command(open_folder), open_folder)
    await execute(open_folder, "CREATE TABLE kept AS SELECT 8 AS n")
    everybody = members(seen.supervisor_pid)
    assert seen.supervisor_pid is not None
    os.kill(seen.supervisor_pid, signal.SIGKILL)
    # At once: the new one must wait for what is still ending.
    assert wait_until(lambda: not status(open_folder).running, TIMEOUT_S)
    again = start_detached(command(open_folder), open_folder)
    assert not any(map(is_alive, everybody))
    assert all_running(again)
    assert await execute(open_folder, "SELECT n FROM kept") == 8
    everybody = members(again.supervisor_pid)
    assert again.supervisor_pid is not None
    os.kill(again.supervisor_pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(is_alive, everybody)), TIMEOUT_S)


@pytest.mark.parametrize("way", ["stop", "start"])
def test_what_a_dead_supervisor_and_its_dead_guards_left_is_ended(
    open_folder: Path, way: str
) -> None:
    seen = start_detached(command(open_folder), open_folder)
    everybody = members(seen.supervisor_pid)
    services = [identify(each.pid) for each in seen.services if each.pid is not None]
    assert seen.supervisor_pid is not None
    guards = list(children_of(seen.supervisor_pid))
    for pid in (seen.supervisor_pid, *guards):
        os.kill(pid, signal.SIGSTOP)  # none may do its duty before all are dead
    for pid in (seen.supervisor_pid, *guards):
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(is_alive, services)), TIMEOUT_S)
    if way == "start":
        start_detached(command(open_folder), open_folder)
        left = list(filter(is_alive, everybody))
    stop(open_folder)
    left = left if way == "start" else list(filter(is_alive, everybody))
    for one in left:  # a process that left its session, and that nobody alive knows
        os.kill(one.pid, signal.SIGKILL)
    assert len(left) <= 1


def test_a_killed_service_comes_back(open_folder: Path) -> None:
    seen = start_detached(command(open_folder), open_folder)
    first = {each.name: each.pid for each in seen.services}
    for pid in first.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now = status(open_folder)
        fresh = all(each.restarts == 1 and each.phase == "ready" for each in now.services)
        return fresh and all_running(now)

    assert wait_until(back, TIMEOUT_S)
    assert {each.name: each.pid for each in status(open_folder).services}.items() != first.items()
    stop(open_folder)


def test_a_taken_port_is_reported_by_name(open_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceNotReadyError, match=f"Port {port} of valkey is used"):
            start_detached(command(open_folder, str(port)), open_folder)
    assert not status(open_folder).running


def test_two_supervisors_on_one_data_dir_refuse_and_two_on_two_run(open_folder: Path) -> None:
    one, two = open_folder / "one", open_folder / "two"
    first = start_detached(command(one), one)
    second = start_detached(command(two), two)
    assert all_running(first)
    assert all_running(second)
    state = one / "run" / "state.json"
    hidden = state.rename(state.with_name("hidden"))  # past the early look: the lock decides
    with pytest.raises(ServiceNotReadyError, match=re.escape("runs on DATA_DIR")):
        start_detached(command(one), one)
    hidden.rename(state)
    stop(one)
    assert all_running(status(two))
    stop(two)


def test_no_secret_is_in_a_log_or_on_a_command_line(open_folder: Path) -> None:
    seen = start_detached(command(open_folder), open_folder)
    kept = json.loads((open_folder / "secrets.json").read_text())
    secrets = [value for name, value in kept.items() if name.endswith("_password")]
    lines = [Path(f"/proc/{each.pid}/cmdline").read_text() for each in members(seen.supervisor_pid)]
    stop(open_folder)
    lines += [log.read_text() for log in (open_folder / "logs").iterdir()]
    lines.append((open_folder / "run" / "state.json").read_text())
    assert len(secrets) == 4
    assert not [line for line in lines for secret in secrets if secret in line]
