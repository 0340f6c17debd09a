"""Processes of one measurement, none of which outlives it."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.local.log_files import tail
from ops.local.process import ChildProcess, ChildSpec

_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.1


class NotReadyError(Exception):
    """A process ended, or was not ready in time; the text ends with its log."""


@dataclass
class Crowd:
    """Running processes by name; the last to start is the first to stop."""

    folder: Path
    _children: dict[str, ChildProcess] = field(default_factory=dict)

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each process that has been started."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    async def start(self, spec: ChildSpec, ready: Callable[[], Awaitable[bool]]) -> None:
        """Start a process and wait until it can be used.

        Raises:
            NotReadyError: it cannot.
        """
        child = self._children[spec.name] = ChildProcess(spec)
        await child.start()
        give_up_at_s = time.monotonic() + _START_TIMEOUT_S
        while not await ready():
            if not child.running or time.monotonic() > give_up_at_s:
                raise NotReadyError(f"{spec.name}: {tail(spec.log_path)}")
            await asyncio.sleep(_POLL_S)

    async def start_python(
        self,
        name: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        """Start one of this project's modules or scripts with this interpreter."""
        await self.start(self.spec(name, (sys.executable, "-P", *arguments), environment), ready)

    async def run_python(
        self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> None:
        """Run one of them to its end.

        Raises:
            NotReadyError: it failed.
        """
        child = ChildProcess(self.spec(name, (sys.executable, "-P", *arguments), environment))
        await child.start()
        try:
            code = await child.wait()
        finally:
            await child.stop()
        if code:
            raise NotReadyError(f"{name}: {tail(child.spec.log_path)}")

    def spec(self, name: str, argv: tuple[str, ...], environment: Mapping[str, str]) -> ChildSpec:
        """Describe a process that works where no .env lies and inherits nothing."""
        cwd = self.folder / "cwd" / name
        cwd.mkdir(parents=True, exist_ok=True)
        return ChildSpec(
            name=name,
            argv=argv,
            log_path=self.folder / "logs" / f"{name}.log",
            cwd=cwd,
            environment={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(cwd), **environment},
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    async def stop(self, *names: str) -> None:
        """Stop some, or all."""
        for name in names or tuple(reversed(self._children)):
            await self._children.pop(name).stop()


async def at_once() -> bool:
    """Say that a process without a port can be used as soon as it runs."""
    return True
