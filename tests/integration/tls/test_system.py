"""API, worker and beat on stores that speak TLS alone: a document goes in, an answer comes out."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ops.local.ports import free_port

POLL_S = 0.2
LIMIT_S = 300


@contextmanager
def process(folder: Path, variables: Mapping[str, str], *words: str) -> Iterator[Path]:
    """Run `python -m …`; give its log."""
    log = folder / f"{'-'.join(words)}.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**variables, "PATH": os.defpath},
            stdout=output,
            stderr=output,
        )
    try:
        yield log
    finally:
        child.terminate()
        child.wait()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await condition():  # noqa: ASYNC110 - no event crosses processes
            await asyncio.sleep(POLL_S)


@pytest.mark.long
@pytest.mark.timeout(2 * LIMIT_S)
async def test_a_document_goes_in_and_an_answer_comes_out(
    tls_variables: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    variables = tls_variables | {"API_PORT": str(port)}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

        async def is_ready() -> bool:
            try:
                return (await http.get("/readyz")).is_success
            except httpx.TransportError:
                return False

        async def is_done() -> bool:
            task = (await http.get(f"/tasks/{accepted['task_id']}")).json()
            assert task["state"] != "failed", task
            return bool(task["state"] == "succeeded")

        subprocess.run(  # noqa: ASYNC221 - nothing else runs
            [sys.executable, "-m", "ops.cli", "init"],
            env={**variables, "PATH": os.defpath},
            check=True,
            capture_output=True,
        )
        with (
            process(tmp_path, variables, "api"),
            process(tmp_path, variables, "worker"),
            process(tmp_path, variables, "worker.beat") as beat,
        ):
            await until(is_ready)
            text = b"Neil Armstrong commanded Apollo 11. Buzz Aldrin flew with Neil Armstrong. " * 9
            answer = await http.post("/insert", files={"file": ("apollo.txt", text)})
            accepted = answer.raise_for_status().json()
            await until(is_done)
            asked = await http.post("/query", json={"query": "Who commanded Apollo 11?"})
            assert "Neil Armstrong" in asked.raise_for_status().text

            async def has_sent() -> bool:
                return "Sending due task sweep" in await asyncio.to_thread(beat.read_text)

            await until(has_sent)
