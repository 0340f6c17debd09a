"""Clients of the three HTTP interfaces: the stub, our API and stock's; as cheap as can be."""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any, Protocol, Self

from aiohttp import ClientSession, ClientTimeout, FormData, TCPConnector

from bench.workloads import Document

POLL_S = 0.5
_PARALLEL_UPLOADS = 8
_TEXTS_A_REQUEST = 50
_TASKS_OF_STATE = re.compile(r'^ragfleet_tasks\{state="(\w+)"\} ([\d.]+)$', re.MULTILINE)
_FINAL = {"succeeded", "failed", "cancelled", "superseded"}
Json = dict[str, Any]


class RunFailedError(Exception):
    """Documents failed, or a run took longer than it may."""


class Ingesting(Protocol):
    """A system that takes documents."""

    async def upload(self, documents: Sequence[Document]) -> None:
        """Hand all documents over."""

    async def progress(self) -> tuple[int, int]:
        """How many documents are in the graph, and how many failed."""


class _Client:
    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self._headers = headers or {}

    async def __aenter__(self) -> Self:
        self._http = ClientSession(
            self.url,
            headers=self._headers,
            timeout=ClientTimeout(total=300),
            connector=TCPConnector(limit=64),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def _json(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - JSON
        async with self._http.request(method, path, **request) as response:
            if response.status >= 400:
                raise RunFailedError(f"{path}: {response.status} {await response.text()}")
            return await response.json()


class StubClient(_Client):
    """The model endpoint's other side."""

    async def behave(self, **wanted: float | None) -> None:
        """Set latencies and faults."""
        await self._json("POST", "/behaviour", json=wanted)

    async def reset(self) -> None:
        """Forget all counts."""
        await self._json("POST", "/reset")

    async def stats(self) -> Json:
        """Counts since the last reset."""
        return dict(await self._json("GET", "/stats"))


class FleetClient(_Client):
    """Our API."""

    def __init__(self, url: str, workspace: str) -> None:
        super().__init__(url, {"LIGHTRAG-WORKSPACE": workspace})
        self.workspace = workspace

    async def make_workspace(self) -> None:
        """Make the workspace of this run."""
        await self._json("POST", "/workspaces", json={"name": self.workspace})

    async def upload(self, documents: Sequence[Document]) -> None:
        """Upload one by one, eight at a time, as our API has it."""
        waiting = list(reversed(documents))

        async def carry() -> None:
            while waiting:
                await self._insert(waiting.pop())

        await asyncio.gather(*(carry() for _ in range(_PARALLEL_UPLOADS)))

    async def _insert(self, document: Document) -> None:
        form = FormData()
        form.add_field("doc_id", document.name.removesuffix(".txt"))
        form.add_field("file", document.text.encode(), filename=document.name)
        await self._json("POST", "/insert", data=form)

    async def states(self) -> dict[str, int]:
        """How many tasks are in each state, in all workspaces together."""
        async with self._http.get("/metrics") as response:
            text = await response.text()
        return {state: int(float(count)) for state, count in _TASKS_OF_STATE.findall(text)}

    async def progress(self) -> tuple[int, int]:
        """How many documents are in the graph, and how many failed."""
        states = await self.states()
        failed = sum(states.get(state, 0) for state in _FINAL - {"succeeded"})
        return states.get("succeeded", 0), failed

    async def ask(self, question: str, mode: str) -> Json:
        """Ask a question."""
        body = {"query": question, "mode": mode}
        return dict(await self._json("POST", "/query", json=body))


class StockClient(_Client):
    """`lightrag-server`."""

    async def upload(self, documents: Sequence[Document]) -> None:
        """Send texts in requests of fifty; stock queues them and works in the background."""
        for start in range(0, len(documents), _TEXTS_A_REQUEST):
            some = documents[start : start + _TEXTS_A_REQUEST]
            body = {
                "texts": [document.text for document in some],
                "file_sources": [document.name for document in some],
            }
            await self._json("POST", "/documents/texts", json=body)

    async def progress(self) -> tuple[int, int]:
        """How many documents are in the graph, and how many failed."""
        answer = await self._json("GET", "/documents/status_counts")
        counts = {name.lower(): count for name, count in answer["status_counts"].items()}
        return counts.get("processed", 0), counts.get("failed", 0)

    async def ask(self, question: str, mode: str) -> Json:
        """Ask a question."""
        body = {"query": question, "mode": mode}
        return dict(await self._json("POST", "/query", json=body))


async def wait_for(
    system: Ingesting, count: int, *, timeout_s: float, look_s: float = POLL_S
) -> int:
    """Wait until `count` documents have ended.

    Returns:
        How many of them are in the graph.

    Raises:
        RunFailedError: it took longer than `timeout_s`.
    """
    give_up_at_s = time.monotonic() + timeout_s
    while True:
        done, failed = await system.progress()
        if done + failed >= count:
            return done
        if time.monotonic() > give_up_at_s:
            raise RunFailedError(f"{done} of {count} documents after {timeout_s:.0f} s")
        await asyncio.sleep(look_s)
