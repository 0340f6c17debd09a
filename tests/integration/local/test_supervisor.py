import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ops.local.errors import ServiceNotReadyError
from ops.local.identity import is_alive
from ops.local.process import ChildSpec
from ops.local.service import Service
from ops.local.state import Layout, Phase, SupervisorState
from ops.local.supervisor import Supervisor

WAITING = "import signal, sys; print(sys.argv[1:], flush=True); signal.pause()"


def service(folder: Path, name: str, *code: str, depends_on: tuple[str, ...] = ()) -> Service:
    spec = ChildSpec(
        name=name,
        argv=(sys.executable, "-c", *(code or (WAITING,))),
        log_path=folder / "logs" / f"{name}.log",
        cwd=folder,
        stop_timeout_s=5,
    )

    async def ready() -> bool:
        return await asyncio.to_thread(spec.log_path.exists)

    return Service(name=name, prepare=lambda: spec, ready=ready, depends_on=depends_on)


class Recorded(Layout):
    """A layout that keeps every state and tells when one fulfils a wish."""

    history: list[SupervisorState]

    def save(self, state: SupervisorState) -> None:
        self.history.append(state)
        super().save(state)


@pytest.fixture
def layout(tmp_path: Path) -> Recorded:
    recorded = Recorded(tmp_path)
    object.__setattr__(recorded, "history", [])
    recorded.make()
    return recorded


def first_seen(layout: Recorded, name: str, phase: Phase) -> int:
    return next(
        index
        for index, state in enumerate(layout.history)
        if any(each.name == name and each.phase is phase for each in state.services)
    )


async def test_services_start_in_order_of_dependence_and_stop_in_reverse(
    layout: Recorded, tmp_path: Path
) -> None:
    services = [service(tmp_path, "base"), service(tmp_path, "top", depends_on=("base",))]
    supervisor = Supervisor(services, layout, on_ready=lambda _: supervisor.request_stop())
    await supervisor.run()
    assert first_seen(layout, "base", Phase.READY) < first_seen(layout, "top", Phase.STARTING)
    assert first_seen(layout, "top", Phase.STOPPED) < first_seen(layout, "base", Phase.STOPPING)
    final = layout.load()
    assert final is not None
    assert {each.phase for each in final.services} | {final.phase} == {Phase.STOPPED}
    started = [each for state in layout.history for each in state.services]
    assert not any(is_alive(each.process) or is_alive(each.guard) for each in started)


async def test_a_crashed_service_is_restarted(layout: Recorded, tmp_path: Path) -> None:
    supervisor = Supervisor([service(tmp_path, "only")], layout)
    original = layout.save
    killed: list[int] = []

    def watch(state: SupervisorState) -> None:
        only = state.services[0]
        if only.phase is Phase.READY and only.process is not None:
            if only.restarts == 2:
                supervisor.request_stop()
            elif only.process.pid not in killed:
                killed.append(only.process.pid)
                os.kill(only.process.pid, signal.SIGKILL)
        original(state)

    object.__setattr__(layout, "save", watch)
    await supervisor.run()
    assert len(killed) == 2


async def test_a_service_that_ends_while_starting_is_reported_with_its_log_and_no_secret(
    layout: Recorded, tmp_path: Path
) -> None:
    broken = service(tmp_path, "broken", "raise SystemExit('wrong password hunter22')")
    broken = replace(broken, ready=asyncio.Event().wait)
    supervisor = Supervisor([service(tmp_path, "fine"), broken], layout, secrets={"hunter22"})
    with pytest.raises(ServiceNotReadyError) as caught:
        await supervisor.run()
    assert "broken ended with exit code 1 while starting" in caught.value.detail
    assert "wrong password [secret]" in caught.value.detail
    final = layout.load()
    assert final is not None
    assert not any(is_alive(each.guard) for each in final.services)


async def test_a_service_that_does_not_get_ready_has_a_deadline(
    layout: Recorded, tmp_path: Path
) -> None:
    async def never() -> bool:
        return False

    slow = replace(service(tmp_path, "slow"), ready=never, start_timeout_s=0.3)
    with pytest.raises(ServiceNotReadyError, match=r"slow was not ready within 0\.3 s"):
        await Supervisor([slow], layout).run()


async def test_a_second_request_kills_what_does_not_stop(layout: Recorded, tmp_path: Path) -> None:
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITING}"
    stubborn = service(tmp_path, "stubborn", code)
    log_path = tmp_path / "logs" / "stubborn.log"
    spec = replace(stubborn.prepare(), stop_timeout_s=10_000)

    async def ready() -> bool:
        return bool(await asyncio.to_thread(log_path.read_text))

    stubborn = replace(stubborn, prepare=lambda: spec, ready=ready)
    supervisor = Supervisor([stubborn], layout, on_ready=lambda _: supervisor.request_stop())
    original = layout.save

    def hurry_when_stopping(state: SupervisorState) -> None:
        original(state)
        if state.services[0].phase is Phase.STOPPING:
            # Once the first signal was taken: two at the same time would count as one.
            asyncio.get_running_loop().call_later(0.3, supervisor.request_stop)

    object.__setattr__(layout, "save", hurry_when_stopping)
    await supervisor.run()
    final = layout.load()
    assert final is not None
    assert final.phase is Phase.STOPPED
