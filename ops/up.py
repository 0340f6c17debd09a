"""The local system of a person's settings, to be run in the foreground or for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ops.local.foreground import lay_ground
from ops.local.ports import HOST
from ops.local.service import Ground, Plan
from ops.local.state import Layout
from ops.local.supervisor import Supervisor
from ops.services import embedded_services, files_services, fleet_services
from shared.settings import Settings


@dataclass(frozen=True)
class RunningSystem:
    """A local system that is up."""

    api_url: str
    flower_url: str | None


def with_own_servers(settings: Settings, *, files: bool = False) -> Settings:
    """Forget which servers a person's settings name: a demo or a benchmark must not write there.

    Args:
        settings: of the person who starts it.
        files: one process over files instead of servers of our own.
    """
    chosen = False if files else None
    storage = settings.storage.model_copy(update={"use_external_storage": chosen})
    neo4j = settings.neo4j.model_copy(update={"uri": ""})
    return replace(settings, storage=storage, neo4j=neo4j)


def local_plan(
    settings: Settings, *, data_dir: Path, api_port: int | None, flower_port: int | None
) -> Plan:
    """Say what runs on this machine.

    USE_EXTERNAL_STORAGE unset: servers of our own and everything on them; a Neo4j that settings
    name is used all the same. `true`: our processes on the servers that settings name. `false`:
    one process over files.

    Args:
        settings: of the person who starts the system.
        data_dir: where everything is kept.
        api_port: None lets the system choose a free one.
        flower_port: likewise.
    """
    ports: dict[str, int | None] = {"api": api_port}
    chosen = settings.storage.use_external_storage
    if chosen is False:
        compose = files_services
    else:
        ports["flower"] = flower_port
        compose = (
            partial(fleet_services, settings, {}, ())
            if chosen
            else partial(embedded_services, settings)
        )
    if chosen is None:
        ports |= {"postgres": None, "valkey": None}
    if settings.starts_neo4j:
        ports["neo4j"] = None
    return Plan(data_dir=data_dir, ports=ports, compose=compose, secrets=settings.secrets())


@asynccontextmanager
async def running_system(plan: Plan) -> AsyncIterator[RunningSystem]:
    """Run a plan for the time of a `with` block, in this process.

    Raises:
        AppError: a service did not start; nothing is left running.
    """
    layout = Layout(plan.data_dir.resolve())
    with layout.lock():
        ground = await asyncio.to_thread(lay_ground, plan, layout)
        ready = asyncio.Event()
        supervisor = Supervisor(
            plan.compose(ground),
            layout,
            secrets=plan.secrets | ground.credentials.secrets(),
            on_ready=lambda _state: ready.set(),
        )
        running = asyncio.create_task(supervisor.run())
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            yield _describe(ground)
        finally:
            waiting.cancel()
            supervisor.request_stop()
            await running


def _describe(ground: Ground) -> RunningSystem:
    flower = ground.ports.get("flower")
    return RunningSystem(
        api_url=f"http://{HOST}:{ground.ports['api']}",
        flower_url=f"http://{HOST}:{flower}" if flower else None,
    )
