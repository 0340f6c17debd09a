import os
import pwd
import signal
import sys
from pathlib import Path

import pytest

from ops.local.errors import ServiceNotReadyError
from ops.local.guard import children_of
from ops.local.identity import Identity, identify, is_alive, wait_until
from ops.local.process import ChildProcess, ChildSpec

# Forks a child, and a child in a session of its own, then says so and waits.
FAMILY = """
import signal, subprocess, sys
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for alone in (False, True):
    subprocess.Popen(["/bin/sleep", "600"], start_new_session=alone)
print("up", flush=True)
signal.pause()
"""
TIMEOUT_S = 20


def family(folder: Path, manner: str = "polite", stop_timeout_s: float = 15) -> ChildSpec:
    return ChildSpec(
        name="family",
        argv=(sys.executable, "-c", FAMILY, manner),
        log_path=folder / "family.log",
        cwd=folder,
        stop_timeout_s=stop_timeout_s,
    )


def members(pid: int | None) -> list[Identity]:
    """The living descendants of a process, itself included."""
    assert pid is not None
    own = identify(pid)
    below = [member for child in children_of(pid) for member in members(child)]
    return below if own is None else [own, *below]


async def started(spec: ChildSpec) -> tuple[ChildProcess, list[Identity]]:
    child = ChildProcess(spec)
    await child.start()
    assert wait_until(lambda: "up" in spec.log_path.read_text(), TIMEOUT_S)
    everybody = members(child.guard_pid)
    assert len(everybody) == 4
    return child, everybody


@pytest.mark.parametrize(
    ("manner", "code"), [("polite", 128 + signal.SIGTERM), ("stubborn", 128 + signal.SIGKILL)]
)
async def test_stopping_leaves_nothing_even_of_a_stubborn_process(
    tmp_path: Path, manner: str, code: int
) -> None:
    child, everybody = await started(family(tmp_path, manner, stop_timeout_s=0.3))
    assert await child.stop() == code
    assert not any(map(is_alive, everybody))


async def test_a_second_request_kills_at_once(tmp_path: Path) -> None:
    child, everybody = await started(family(tmp_path, "stubborn", stop_timeout_s=10_000))
    child.request_stop()
    assert child.guard_pid is not None
    pending = Path(f"/proc/{child.guard_pid}/status")
    bit = 1 << (signal.SIGTERM - 1)

    def received() -> bool:
        lines = pending.read_text().splitlines()
        masks = [
            int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))
        ]
        return not any(mask & bit for mask in masks)

    assert wait_until(received, TIMEOUT_S)  # two pending signals would count as one
    child.request_stop()
    assert await child.wait() == 128 + signal.SIGKILL
    assert not any(map(is_alive, everybody))


async def test_a_crash_ends_the_children_of_the_process_too(tmp_path: Path) -> None:
    child, everybody = await started(family(tmp_path))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait() == 128 + signal.SIGKILL
    assert not any(map(is_alive, everybody))


async def test_the_death_of_the_guard_ends_the_process_and_its_session(tmp_path: Path) -> None:
    child, everybody = await started(family(tmp_path))
    assert child.guard_pid is not None
    os.kill(child.guard_pid, signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    alone = [member for member in everybody if is_alive(member)]
    for member in alone:  # the one that left the session: nobody is left who knows it
        os.kill(member.pid, signal.SIGKILL)
    assert len(alone) <= 1


async def test_an_exit_code_is_passed_on(tmp_path: Path) -> None:
    spec = ChildSpec(
        name="three", argv=("/bin/sh", "-c", "exit 3"), log_path=tmp_path / "log", cwd=tmp_path
    )
    child = ChildProcess(spec)
    await child.start()
    assert await child.wait() == 3


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    spec = ChildSpec(
        name="ghost", argv=("/no/such/program",), log_path=tmp_path / "log", cwd=tmp_path
    )
    with pytest.raises(ServiceNotReadyError, match=r"ghost did not start.*/no/such/program"):
        await ChildProcess(spec).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change the user")
async def test_a_process_runs_as_the_user_without_our_groups_and_signals(open_folder: Path) -> None:
    spec = ChildSpec(
        name="status",
        argv=("/bin/cat", "/proc/self/status"),
        log_path=open_folder / "log",
        cwd=open_folder,
        user="nobody",
    )
    child = ChildProcess(spec)
    await child.start()
    assert await child.wait() == 0
    shown = dict(line.split(":", 1) for line in spec.log_path.read_text().splitlines())
    nobody = pwd.getpwnam("nobody")
    assert set(shown["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(shown["Gid"].split()) == {str(nobody.pw_gid)}
    assert shown["Groups"].split() == []
    assert int(shown["SigBlk"], 16) == 0
