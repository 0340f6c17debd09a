"""Our own system, driven as any operator would: its processes, its variables, its HTTP."""

import asyncio
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from celery import Celery

from bench.settings import CHAT_MODEL, EMBEDDING_MODEL, FleetShape, ModelSettings
from bench.systems.processes import Crowd, at_once
from bench.systems.stores import Place, Stores
from ops.local.ports import HOST, free_port
from ops.local.readiness import answers_http

_EXTRACT = "extract"
_DEFAULT_THREADS = 64
# Two cores start ten processes one behind the other.
_START_TIMEOUT_S = 120.0


class Fleet:
    """API, workers and beat."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._variables: dict[str, str] = {}
        self._workers = 0
        self.urls: list[str] = []

    async def start(
        self, stores: Stores, place: Place, models: ModelSettings, shape: FleetShape
    ) -> None:
        """Start all processes and wait until the API answers."""
        self._variables = {
            **stores.fleet_variables(place),
            **_model_variables(models, shape),
            "DATA_DIR": str(self._crowd.folder / "fleet"),
            "LOG_LEVEL": "warning",
            "LOG_FORMAT": "json",
        }
        await self._crowd.run_python("init", ("-m", "ops.cli", "init"), self._variables)
        for number in range(shape.apis):
            await self._start_api(number)
        for queues, count in shape.workers:
            for number in range(count):
                await self.start_worker(queues, number)
        await self._start("beat", ("-m", "worker.beat"))

    async def _start_api(self, number: int) -> None:
        port = free_port()
        await self._crowd.start_python(
            f"api-{number}",
            ("-m", "api"),
            {**self._variables, "API_PORT": str(port)},
            partial(answers_http, port, "/livez"),
        )
        self.urls.append(f"http://{HOST}:{port}")

    async def workers_answer(self) -> None:
        """Wait until every worker takes messages.

        Raises:
            TimeoutError: not all of them do after two minutes.
        """
        answering = 0
        async with asyncio.timeout(_START_TIMEOUT_S):
            while answering < self._workers:
                answering = len(await asyncio.to_thread(_pings, self._variables["BROKER_URL"]))

    @contextmanager
    def paused(self, name: str) -> Iterator[Callable[[], None]]:
        """Stop a process in its tracks: it keeps all it has.

        Gives what lets it go on; at the end of the `with` block it goes on in any case.
        """
        pid = self._crowd.pids[name]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield partial(os.kill, pid, signal.SIGCONT)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def start_worker(self, queues: str, number: int = 0) -> None:
        """Start one worker process."""
        self._workers += 1
        name = f"worker-{queues.replace(',', '+')}-{number}"
        await self._start(name, ("-m", "worker", "--queues", queues))

    async def _start(self, name: str, arguments: tuple[str, ...]) -> None:
        await self._crowd.start_python(name, arguments, self._variables, at_once)


def _model_variables(models: ModelSettings, shape: FleetShape) -> dict[str, str]:
    extracting = sum(count for queues, count in shape.workers if _EXTRACT in queues.split(","))
    share = max(1, models.concurrency // max(1, extracting))
    return {
        "LLM_PROVIDER": "openai",
        "LLM_BASE_URL": models.url,
        "LLM_API_KEY": "fleet",  # one for all: the limit of calls is kept by key
        "LLM_MODEL": CHAT_MODEL,
        "LLM_MAX_CONCURRENCY": str(models.concurrency),
        # A document of one chunk takes a thread for one call.
        "WORKER_THREADS": str(max(_DEFAULT_THREADS, share)),
        "LLM_QUERY_SHARE": f"{models.query_share:g}",
        "EMBEDDING_PROVIDER": "openai",
        "EMBEDDING_BASE_URL": models.url,
        "EMBEDDING_API_KEY": "fleet",
        "EMBEDDING_MODEL": EMBEDDING_MODEL,
        "EMBEDDING_DIM": str(models.dimension),
        "EMBEDDING_MAX_CONCURRENCY": str(models.embedding_concurrency),
        "EMBEDDING_QUERY_SHARE": f"{models.query_share:g}",
        "CHUNK_SIZE": str(models.chunk_tokens),
        "CHUNK_OVERLAP_SIZE": str(models.overlap_tokens),
        "MAX_GLEANING": str(models.gleaning),
    }


def _pings(broker_url: str) -> list[dict[str, object]]:
    with warnings.catch_warnings(), Celery(broker=broker_url) as celery:
        warnings.simplefilter("ignore")  # all workers of a machine have one name
        found: list[dict[str, object]] = celery.control.ping(timeout=1.0)
    return found
