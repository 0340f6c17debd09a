"""Real API processes, one a module and kind, and sockets to talk to them."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ops.local.ports import free_port

PROJECT = Path(__file__).parents[3]
START_TIMEOUT_S = 90  # twenty times what it takes on an idle machine
POLL_S = 0.02
API_KEY = "s3cret"
SMALL_LIMIT_BYTES = 1024 * 1024


@dataclass
class Server:
    """A running API process."""

    port: int
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stored_files(self) -> set[Path]:
        return {
            path for path in (self.data_dir / "files_mode_objects").rglob("*") if path.is_file()
        }

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def until(condition: Callable[[], bool], *, timeout_s: float = 60) -> None:
    """Wait for something that only another process can bring about."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - no event crosses processes
            await asyncio.sleep(POLL_S)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process with the settings we ship."""
    with _running(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process that wants a key and takes files of a megabyte."""
    variables = {"API_KEY": API_KEY, "MAX_UPLOAD_BYTES": str(SMALL_LIMIT_BYTES)}
    with _running(tmp_path_factory.mktemp("strict"), **variables) as server:
        yield server


@contextmanager
def _running(folder: Path, **variables: str) -> Iterator[Server]:
    for name in ("data", "tmp"):
        (folder / name).mkdir()
    port, log = free_port(), folder / "server.log"
    environment = os.environ | {  # noqa: TID251 - a child inherits PATH and the like
        "DATA_DIR": str(folder / "data"),
        "API_PORT": str(port),
        "TMPDIR": str(folder / "tmp"),
        "LOG_FORMAT": "json",
    }
    argv = [sys.executable, "-m", "tests.integration.api.small_server"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            argv, cwd=PROJECT, env=environment | variables, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait_until_it_answers(port, process)
            yield Server(port, folder / "data", log, process)
        finally:
            process.terminate()
    assert process.returncode in {0, -15}, log.read_text()


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_at_s = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up_at_s:
        try:
            httpx.get(f"http://127.0.0.1:{port}/livez")
        except httpx.TransportError:
            time.sleep(POLL_S)
        else:
            return
    raise TimeoutError
