import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ops.local.control import status, stop
from ops.local.errors import AlreadyRunningError, LocalError
from ops.local.identity import Identity, identify, is_alive, wait_until
from ops.local.leftovers import end_leftovers
from ops.local.process import ChildSpec
from ops.local.running import Backoff
from ops.local.service import Service
from ops.local.state import Layout, Phase, ServiceState, SupervisorState
from ops.local.supervisor import check_order, own_identity


def state_with(process: Identity | None) -> SupervisorState:
    service = ServiceState(
        name="api", phase=Phase.READY, process=process, guard=None, restarts=0, port=1, url=None
    )
    dead = replace(own_identity(), started="another boot/1")
    return SupervisorState(supervisor=dead, phase=Phase.READY, services=(service,))


async def always() -> bool:
    return True


def service(name: str, *depends_on: str) -> Service:
    spec = ChildSpec(name=name, argv=("true",), log_path=Path("log"), cwd=Path())
    return Service(name=name, prepare=lambda: spec, ready=always, depends_on=depends_on)


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    assert layout.load() is None
    layout.make()
    state = state_with(own_identity())
    layout.save(state)
    assert layout.load() == state


@pytest.mark.parametrize("left", ["", '{"supervisor"', "[]"])
def test_a_state_that_a_power_cut_left_is_as_good_as_none(tmp_path: Path, left: str) -> None:
    layout = Layout(tmp_path / "data")
    layout.make()
    (layout.run / "state.json").write_text(left)
    assert layout.load() is None


def test_a_second_lock_is_refused_and_a_freed_one_given(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with (
        layout.lock(),
        pytest.raises(AlreadyRunningError, match=f"DATA_DIR {tmp_path}"),
        layout.lock(),
    ):
        pass
    with layout.lock():
        pass


def test_a_data_dir_may_be_entered_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        Layout(tmp_path / "data").make()
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o711


def test_nothing_runs_where_nothing_ran(tmp_path: Path) -> None:
    assert status(tmp_path).phase is Phase.STOPPED
    stop(tmp_path)


def test_a_process_is_not_mistaken_for_another_with_its_pid() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)
    assert not is_alive(replace(me, started="earlier"))


def test_stop_spares_a_stranger_who_got_the_pid_of_the_supervisor_or_a_service(
    tmp_path: Path,
) -> None:
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    own = identify(stranger.pid)
    assert own is not None
    layout = Layout(tmp_path)
    layout.make()
    layout.save(state_with(replace(own, started=own.started + "1")))
    stop(tmp_path)
    assert not status(tmp_path).services[0].running
    layout.save(state_with(replace(own, started="another boot/1")))
    stop(tmp_path)
    assert is_alive(own)
    stranger.kill()
    stranger.wait()


def test_the_children_of_a_service_that_is_gone_are_ended() -> None:
    # The leader ends at once and leaves a child in its session.
    code = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
    leader = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    own = identify(leader.pid)
    assert leader.stdout is not None
    child = identify(int(leader.stdout.readline()))
    leader.stdout.close()
    leader.wait()
    assert is_alive(child)
    assert end_leftovers(state_with(own))
    assert wait_until(lambda: not is_alive(child), 10)


@pytest.mark.parametrize(
    "services",
    [
        [service("api", "postgres"), service("postgres")],
        [service("api", "unknown")],
        [service("api"), service("api")],
    ],
)
def test_services_in_an_impossible_order_are_refused(services: list[Service]) -> None:
    with pytest.raises(LocalError, match="api"):
        check_order(services)


def test_delays_double_up_to_five_seconds_and_start_again_after_health() -> None:
    backoff = Backoff()
    assert [backoff.next_delay_s(0) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert backoff.next_delay_s(60) == 0.2
    assert backoff.next_delay_s(1) == 0.4
