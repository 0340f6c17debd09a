"""The sender of files mode: there is no broker, messages run as tasks of this very process."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from shared.contract.names import QUEUE_OF, QueueName
from shared.contract.payloads import Clean, Payload, Sweep
from shared.logs import get_logger
from worker.celery_options import CLEAN_INTERVAL
from worker.context import WorkerContext
from worker.handlers import handle

_log = get_logger(__name__)


class InProcessSender:
    """Runs messages on the loop they are sent from, a bounded number of each queue at a time."""

    def __init__(self, *, concurrency: int) -> None:
        self._slots = {queue: asyncio.Semaphore(concurrency) for queue in QueueName}
        self._waiting: Counter[QueueName] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._context: WorkerContext | None = None
        self._closing = False

    def serve(self, context: WorkerContext) -> None:
        """Start answering messages, and the sweeper's rounds."""
        self._context = context
        self._keep(self._every(context.settings.limits.sweep_interval_s, Sweep()))
        self._keep(self._every(CLEAN_INTERVAL.total_seconds(), Clean()))

    async def send(self, payload: Payload) -> None:
        """Run one message soon; it is lost when the process ends, and the sweeper repeats it."""
        if self._closing:
            return
        self._waiting[QUEUE_OF[payload.name]] += 1
        self._keep(self._run(payload))

    async def depth(self, queue: QueueName) -> int:
        """Count the messages that wait for a free slot."""
        return self._waiting[queue]

    async def close(self) -> None:
        """Cancel what runs; the stages hand their tasks back to the ledger."""
        self._closing = True
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, payload: Payload) -> None:
        assert self._context is not None  # noqa: S101 - `serve` comes first
        queue = QUEUE_OF[payload.name]
        async with self._slots[queue]:
            self._waiting[queue] -= 1
            try:
                await handle(payload.name, payload.model_dump(mode="json"), self._context)
            except Exception:  # noqa: BLE001 - the edge, as Celery's is: one message, one line
                _log.exception("message_failed", message=payload.name)

    async def _every(self, interval_s: float, payload: Payload) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self._run_now(payload)

    async def _run_now(self, payload: Payload) -> None:
        self._waiting[QUEUE_OF[payload.name]] += 1
        await self._run(payload)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._running.discard)
