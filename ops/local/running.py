"""One service while the supervisor runs it: its starts, its readiness and its restarts."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from ops.local.errors import ServiceNotReadyError
from ops.local.identity import identify
from ops.local.log_files import redact, tail
from ops.local.process import ChildProcess
from ops.local.service import Service
from ops.local.state import Phase, ServiceState
from shared.errors import AppError
from shared.logs import get_logger

logger = get_logger(__name__)
READY_POLL_S = 0.1  # processes tell nobody that they are ready, so they are asked
READY_CHECK_TIMEOUT_S = 5.0  # one check that hangs must not use up the time of all
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
HEALTHY_AFTER_S = 10.0  # a service that lived so long does not crash on starting


class Backoff:
    """How long to wait before the next restart: doubling, from the start after a healthy time."""

    def __init__(self) -> None:
        self._delay_s = FIRST_DELAY_S

    def next_delay_s(self, lived_s: float) -> float:
        """The delay after the service was up for `lived_s` seconds."""
        if lived_s >= HEALTHY_AFTER_S:
            self._delay_s = FIRST_DELAY_S
        delay_s = self._delay_s
        self._delay_s = min(LONGEST_DELAY_S, 2 * delay_s)
        return delay_s


class RunningService:
    """A service, its present process, and what became of it."""

    def __init__(
        self, service: Service, on_change: Callable[[], None], secrets: Iterable[str]
    ) -> None:
        self.service = service
        self.phase = Phase.WAITING
        self.restarts = 0
        self.was_ready = asyncio.Event()
        self.stopped = asyncio.Event()
        self._child: ChildProcess | None = None
        self._on_change = on_change
        self._secrets = frozenset(secrets)

    def state(self) -> ServiceState:
        """What there is to say about it now."""
        child = self._child
        return ServiceState(
            name=self.service.name,
            phase=self.phase,
            process=None if child is None or child.pid is None else identify(child.pid),
            guard=None if child is None or child.guard_pid is None else identify(child.guard_pid),
            restarts=self.restarts,
            port=self.service.port,
            url=self.service.url,
        )

    async def run(self) -> None:
        """Start it and restart it whenever it ends, until cancelled.

        Raises:
            AppError: its first start failed; later ones are tried again.
        """
        await self._start()
        backoff = Backoff()
        while True:
            ready_at_s = time.monotonic()
            code = await self._current().wait()
            lived_s = time.monotonic() - ready_at_s
            logger.warning("service_ended", service=self.service.name, exit_code=code)
            await self._restart(backoff, lived_s)

    async def stop(self) -> None:
        """Stop it in order."""
        self._set_phase(Phase.STOPPING)
        if self._child is not None:
            await self._child.stop()
        self._set_phase(Phase.STOPPED)
        self.stopped.set()

    def hurry(self) -> None:
        """Ask it to stop now, out of order; when it was asked before, kill it."""
        if self._child is not None:
            self._child.request_stop()

    async def _restart(self, backoff: Backoff, lived_s: float) -> None:
        while True:
            self.restarts += 1
            self._set_phase(Phase.RESTARTING)
            await asyncio.sleep(backoff.next_delay_s(lived_s))
            lived_s = 0.0
            try:
                await self._start()
            except (AppError, OSError) as error:
                reason = redact(str(error), self._secrets)
                logger.error("service_not_restarted", service=self.service.name, reason=reason)  # noqa: TRY400 - a child's failure has no useful trace here
                await self._current().stop()
            else:
                logger.info("service_restarted", service=self.service.name, after=self.restarts)
                return

    async def _start(self) -> None:
        self._set_phase(Phase.STARTING)
        spec = await asyncio.to_thread(self.service.prepare)
        self._child = ChildProcess(spec)
        await self._child.start()
        self._on_change()  # the pids are known now
        await self._until_ready()
        self.was_ready.set()
        self._set_phase(Phase.READY)

    async def _until_ready(self) -> None:
        ended = asyncio.create_task(self._current().wait())
        ready = asyncio.create_task(self._poll())
        try:
            await asyncio.wait(
                {ended, ready},
                timeout=self.service.start_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended.done():
                raise self._not_ready(f"ended with exit code {ended.result()} while starting")
            if not ready.done():
                raise self._not_ready(f"was not ready within {self.service.start_timeout_s:g} s")
            ready.result()
        finally:
            for task in (ended, ready):
                task.cancel()
            await asyncio.gather(ended, ready, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_CHECK_TIMEOUT_S):
                    if await self.service.ready():
                        return
            await asyncio.sleep(READY_POLL_S)

    def _not_ready(self, what: str) -> ServiceNotReadyError:
        log_path = self._current().spec.log_path
        last_lines = redact(tail(log_path), self._secrets)
        return ServiceNotReadyError(
            f"{self.service.name} {what}. The last lines of {log_path}:\n{last_lines}"
        )

    def _current(self) -> ChildProcess:
        if self._child is None:  # only when a `prepare` failed at a restart after none succeeded
            raise ServiceNotReadyError(f"{self.service.name} was never started")
        return self._child

    def _set_phase(self, phase: Phase) -> None:
        self.phase = phase
        self._on_change()
