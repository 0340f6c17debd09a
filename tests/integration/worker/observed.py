"""A whole fleet as users meet it: an API process and a worker over real servers, and their logs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ops.local.ports import free_port
from tests.integration.worker.processes import POLL_S, PROJECT, START_TIMEOUT_S, Stack, Worker

EXIT_LIMIT_S = 60  # they drain for seconds; the rest is for busy machines


@dataclass
class Api:
    """One `python -m api`."""

    process: subprocess.Popen[bytes]
    log: Path
    client: httpx.AsyncClient

    async def succeeded(self, accepted: dict[str, Any]) -> dict[str, Any]:
        """Wait until a task has ended well."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                task: dict[str, Any] = (await self.client.get(accepted["status_url"])).json()
                assert task["state"] not in {"failed", "cancelled"}, task
                if task["state"] == "succeeded":
                    return task
                await asyncio.sleep(POLL_S)


@asynccontextmanager
async def api_of(stack: Stack, **variables: str) -> AsyncIterator[Api]:
    """Start an API over the servers of a stack, and end it at last."""
    port, log = free_port(), stack.folder / "api.log"
    environment = {**os.environ, **stack.variables, "API_PORT": str(port), **variables}  # noqa: TID251 - a child inherits PATH
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "api"],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await _until_it_answers(client, process, log)
            yield Api(process, log, client)
    finally:
        process.kill()
        process.wait()


async def end(*running: Api | Worker) -> None:
    """Stop processes as a supervisor does, and wait for their end."""
    for one in running:
        one.process.send_signal(signal.SIGTERM)
    for one in running:
        await asyncio.to_thread(one.process.wait, EXIT_LIMIT_S)


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Return the lines of a log, all of which have to be JSON."""
    return [json.loads(line) for line in log.read_text().splitlines()]


async def _until_it_answers(
    client: httpx.AsyncClient, process: subprocess.Popen[bytes], log: Path
) -> None:
    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            assert process.poll() is None, await asyncio.to_thread(log.read_text)
            try:
                await client.get("/livez")
            except httpx.TransportError:
                await asyncio.sleep(POLL_S)
            else:
                return
