"""Servers that one test starts, stops and damages; and moments of an apply at which it does so."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.local.ports import free_port
from ops.local.process import ChildProcess
from ops.local.valkey import EmbeddedValkey
from tests.services import Server, start
from worker.commit.operations import Kind, Operation


@dataclass
class OwnServer:
    """A running server that may be stopped and started again on the same port."""

    server: Any
    child: ChildProcess

    async def stop(self) -> None:
        await self.child.stop()

    async def start(self) -> None:
        self.child = await start(self.server)


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[OwnServer]:
    """Give a started server, and stop it at the end."""
    own = OwnServer(server, await start(server))
    try:
        yield own
    finally:
        await own.stop()


def new_valkey(folder: Path) -> EmbeddedValkey:
    """Describe a Valkey of a test's own."""
    return EmbeddedValkey(folder, free_port(), password="of a test")


class AppendOnlyFiles:
    """What a Valkey has on its disk, as it was at an earlier moment."""

    def __init__(self, server: EmbeddedValkey) -> None:
        self._files = server.data_dir / "valkey" / "appendonlydir"
        self._copy = server.data_dir / "copy"

    def copy(self) -> None:
        shutil.copytree(self._files, self._copy)

    def put_back(self) -> None:
        shutil.rmtree(self._files)
        shutil.copytree(self._copy, self._files)


def before_first(
    monkeypatch: pytest.MonkeyPatch,
    store: type,
    kind: Kind,
    trouble: Callable[[], Awaitable[None]],
) -> None:
    """Make trouble before a store carries out its first operation of a kind."""
    apply = store.apply  # type: ignore[attr-defined] # every store has it
    troubled: list[Kind] = []

    async def applied(self: object, operation: Operation) -> None:
        if operation.kind is kind and not troubled:
            troubled.append(kind)
            await trouble()
        await apply(self, operation)

    monkeypatch.setattr(store, "apply", applied)
