"""What a worker tells of itself: whether it takes messages, not just whether it lives.

Two loops have to turn: Celery's, which takes messages from the broker, and ours, which does what
they ask for. The second one writes a small file every few seconds, and in it when the first one
last turned; `python -m worker.health` judges it. Celery's loop does not turn without a connection.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from celery import Celery, bootsteps, signals

from shared.contract.names import QueueName
from shared.contract.sender import Sender
from shared.errors import QueueUnavailableError
from shared.logs import get_logger

_log = get_logger(__name__)

WRITE_INTERVAL_S = 5.0
_TURN_INTERVAL_S = 2.0


class Pulse:
    """What is known of both loops; Celery's thread only sets plain values here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turned_s: float | None = None
        self._queues: frozenset[QueueName] = frozenset()
        self._has_place = False
        self._taken = 0
        self._taken_before = 0
        self._stalled_since_s: float | None = None
        self._waiting: tuple[QueueName, ...] = ()

    def connect(self, app: Celery) -> None:
        """Be told of Celery's loop and of messages that arrive."""
        pulse = self

        class Turning(bootsteps.StartStopStep):  # type: ignore[misc] # celery is untyped
            """Beats in Celery's loop as long as there is a connection."""

            requires = ("celery.worker.consumer.tasks:Tasks",)
            _timer: Any = None

            def start(self, consumer: Any) -> None:  # noqa: ANN401 - celery's
                # A consumer that lost its connection clears its timer and starts all steps again.
                pulse.turned(consumer)
                self._timer = consumer.timer.call_repeatedly(
                    _TURN_INTERVAL_S, pulse.turned, (consumer,)
                )

            def stop(self, consumer: Any) -> None:  # noqa: ANN401 - celery's
                del consumer
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None

        app.steps["consumer"].add(Turning)
        signals.task_received.connect(self._take, weak=False)

    def turned(self, consumer: Any) -> None:  # noqa: ANN401 - celery's
        """Note that Celery's loop came round, and whether it would take a message."""
        channel = consumer.task_consumer.channel
        # Also those it no longer listens to: it was started to serve them.
        self._queues |= {QueueName(one.name) for one in consumer.task_consumer.queues}
        self._has_place = channel.qos.can_consume()
        self._turned_s = time.monotonic()

    @asynccontextmanager
    async def written_regularly(self, sender: Sender) -> AsyncIterator[None]:
        """Write the file for the time of a `with` block; it is gone afterwards."""
        writing = asyncio.create_task(self._write_on_and_on(sender))
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            self._path.unlink(missing_ok=True)

    async def look(self, sender: Sender) -> dict[str, Any]:
        """Return what the file is to say now."""
        broker_answers = True
        try:
            waiting = [queue for queue in sorted(self._queues) if await sender.depth(queue)]
        except QueueUnavailableError:
            waiting, broker_answers = [], False
        now_s = time.monotonic()
        stands_still = waiting and self._has_place and self._taken == self._taken_before
        self._taken_before = self._taken
        if not stands_still:
            self._stalled_since_s = None
        elif self._stalled_since_s is None:
            self._stalled_since_s = now_s
        return {
            "written_s": now_s,
            "turned_s": self._turned_s,
            "broker_answers": broker_answers,
            "stalled_since_s": self._stalled_since_s,
            "waiting": waiting,
        }

    async def _write_on_and_on(self, sender: Sender) -> None:
        while True:
            text = json.dumps(await self.look(sender))
            try:
                self._write(text)
            except OSError as error:  # a full disk, say: it may have room again
                _log.warning("pulse_not_written", error=error.strerror)
            await asyncio.sleep(WRITE_INTERVAL_S)

    def _write(self, text: str) -> None:
        # Some bytes into memory; a reader sees the old file or the new one.
        unfinished = self._path.with_name(self._path.name + ".unfinished")
        unfinished.write_text(text)
        unfinished.replace(self._path)

    def _take(self, **_: Any) -> None:  # noqa: ANN401 - celery's arguments
        self._taken += 1
