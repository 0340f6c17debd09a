"""Looks at the installation as long as this beat leads, in a thread beside the scheduler.

Beat must go on sending whatever happens here, and this must go on when no worker runs: where a
fleet was scaled to nothing, nobody else could say that there is work.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

from shared.ledger.ledger import Ledger
from shared.logs import get_logger
from worker.watch.broker import Broker
from worker.watch.collector import FleetCollector
from worker.watch.leadership import Leadership
from worker.watch.sample import Sample, take_sample

_log = get_logger(__name__)

# What Prometheus usually asks for; CloudWatch's smallest ordinary period is a minute.
_INTERVAL_S = 15.0
_PUBLISH_INTERVAL_S = 60.0
# How soon a beat that has just taken over begins.
_POLL_S = 0.5


class Publisher(Protocol):
    """Takes a sample somewhere."""

    async def publish(self, sample: Sample, ledger: Ledger) -> None:
        """Publish; raises nothing that a person could do something about."""


class Watcher:
    """One thread with a loop, a ledger and a broker of its own."""

    def __init__(
        self,
        *,
        open_ledger: Callable[[], Awaitable[Ledger]],
        broker: Broker,
        leadership: Leadership,
        collector: FleetCollector,
        publisher: Publisher | None,
    ) -> None:
        self._open_ledger = open_ledger
        self._broker = broker
        self._leadership = leadership
        self._collector = collector
        self._publisher = publisher
        self._published_at_s = -_PUBLISH_INTERVAL_S
        self._failed = False

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=lambda: asyncio.run(self.run()), name="watch", daemon=True).start()

    async def run(self) -> None:
        """Look for ever."""
        ledger = await self._open_ledger()
        while True:
            if not self._leadership.held:
                self._collector.show(None)
                await asyncio.sleep(_POLL_S)
                continue
            began_at_s = monotonic()
            await self.look(ledger)
            await asyncio.sleep(max(_POLL_S, _INTERVAL_S - (monotonic() - began_at_s)))

    async def look(self, ledger: Ledger) -> None:
        """Look once, and publish what was seen when it is time."""
        try:
            sample = await take_sample(ledger, self._broker)
            self._collector.show(sample)
            # Asked again: looking may have taken longer than the lock lasts.
            due = monotonic() - self._published_at_s >= _PUBLISH_INTERVAL_S
            if self._publisher is not None and due and self._leadership.held:
                self._published_at_s = monotonic()
                await self._publisher.publish(sample, ledger)
        except Exception:  # noqa: BLE001 - the edge: a bug here must not end the watch
            self._collector.show(None)  # nothing is better than what was true once
            if not self._failed:
                _log.exception("watch_failed")
            self._failed = True
        else:
            self._failed = False
