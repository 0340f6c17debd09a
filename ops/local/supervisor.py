"""Running all services together: start in order of dependence, keep alive, stop in reverse."""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from ops.local.errors import LocalError
from ops.local.identity import Identity, identify
from ops.local.running import RunningService
from ops.local.service import Service
from ops.local.state import Layout, Phase, SupervisorState


class Supervisor:
    """Keeps the services of one DATA_DIR running; the caller holds the lock of that folder."""

    def __init__(
        self,
        services: Sequence[Service],
        layout: Layout,
        *,
        secrets: Iterable[str] = (),
        on_ready: Callable[[SupervisorState], None] | None = None,
    ) -> None:
        check_order(services)
        self._layout = layout
        self._phase = Phase.STARTING
        self._stop_requested = asyncio.Event()
        self._on_ready = on_ready
        hidden = frozenset(secrets)
        self._running = {
            service.name: RunningService(service, self._save, hidden) for service in services
        }

    def state(self) -> SupervisorState:
        """The system as it is now."""
        return SupervisorState(
            supervisor=own_identity(),
            phase=self._phase,
            services=tuple(running.state() for running in self._running.values()),
        )

    def request_stop(self) -> None:
        """Stop everything in order; a second request hurries, a third kills."""
        if self._stop_requested.is_set():
            for running in self._running.values():
                running.hurry()
        self._stop_requested.set()

    async def run(self) -> None:
        """Start everything and keep it running until `request_stop`; then nothing is left.

        Raises:
            AppError: a service did not start; everything else was stopped again.
        """
        keepers = [asyncio.create_task(self._keep(each)) for each in self._running.values()]
        others = [asyncio.create_task(self._stop_requested.wait())]
        announcing = asyncio.create_task(self._announce())
        try:
            # A keeper only ever ends by an error.
            await asyncio.wait([*keepers, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [*keepers, *others, announcing]
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            self._set_phase(Phase.STOPPING)
            await asyncio.gather(*(self._stop(each) for each in self._running.values()))
            self._set_phase(Phase.STOPPED)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _keep(self, running: RunningService) -> None:
        for name in running.service.depends_on:
            await self._running[name].was_ready.wait()
        await running.run()

    async def _stop(self, running: RunningService) -> None:
        for other in self._running.values():
            if running.service.name in other.service.depends_on:
                await other.stopped.wait()
        await running.stop()

    async def _announce(self) -> None:
        for running in self._running.values():
            await running.was_ready.wait()
        self._set_phase(Phase.READY)
        if self._on_ready is not None:
            self._on_ready(self.state())

    def _set_phase(self, phase: Phase) -> None:
        self._phase = phase
        self._save()

    def _save(self) -> None:
        # A kilobyte to the local disk, in order; nobody's request waits for this loop.
        self._layout.save(self.state())


def check_order(services: Sequence[Service]) -> None:
    """Refuse a list in which a service depends on a later or unknown one.

    Raises:
        LocalError: naming the service; it would wait for ever.
    """
    known: set[str] = set()
    for service in services:
        missing = set(service.depends_on) - known
        if missing or service.name in known:
            raise LocalError(f"Service {service.name} is listed twice or before {sorted(missing)}.")
        known.add(service.name)


def own_identity() -> Identity:
    """This process."""
    identity = identify(os.getpid())
    if identity is None:
        raise LocalError("This process is not in /proc; mount it.")
    return identity
