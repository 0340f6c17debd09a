"""What every case runs on: one folder, one set of stores, one model endpoint."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.clients import StubClient
from bench.systems.processes import Crowd
from bench.systems.stores import Stores
from ops.local.ports import HOST, free_port
from ops.local.readiness import answers_http

_ROOT = Path(__file__).parents[1]
_STOCK_PROGRAM = _ROOT / ".venv-bench" / "bin" / "lightrag-server"


@dataclass(frozen=True)
class Ground:
    """The stores and the model endpoint, ready for any number of runs."""

    folder: Path
    stores: Stores
    stub: StubClient
    stub_crowd: Crowd
    stock_program: Path

    @property
    def model_url(self) -> str:
        """The endpoint's address as clients of OpenAI's protocol want it."""
        return f"{self.stub.url}/v1"

    @asynccontextmanager
    async def crowd(self) -> AsyncIterator[Crowd]:
        """Give room for the processes of one run; they are stopped however it ends."""
        crowd = Crowd(self.folder)
        try:
            yield crowd
        finally:
            await crowd.stop()
            for left in ("cwd", "fleet", "stock/storage", "stock/inputs"):
                shutil.rmtree(self.folder / left, ignore_errors=True)


def _open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ragfleet-bench-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs as another user
    return folder


@asynccontextmanager
async def laid_ground(graphs: set[str]) -> AsyncIterator[Ground]:
    """Start stores and model endpoint; everything is stopped and removed however it ends."""
    folder = await asyncio.to_thread(_open_folder)
    stores = Stores(folder, graphs=graphs)
    endpoint = Crowd(folder)
    try:
        await stores.start()
        port = free_port()
        arguments = ("-m", "bench.stub", "--port", str(port))
        variables = {"PYTHONPATH": str(_ROOT)}  # bench/ is not installed
        ready = partial(answers_http, port, "/stats")
        await endpoint.start_python("stub", arguments, variables, ready)
        async with StubClient(f"http://{HOST}:{port}") as stub:
            yield Ground(folder, stores, stub, endpoint, _STOCK_PROGRAM)
    finally:
        await endpoint.stop()
        await stores.stop()
        shutil.rmtree(folder, ignore_errors=True)
