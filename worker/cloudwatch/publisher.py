"""Writes a sample to CloudWatch, and what happened since the last one.

The position moves when CloudWatch has said yes. So nothing is left out when a beat dies or AWS is
away; told twice is only what CloudWatch took when its answer got lost, or beat died right after it.
"""

import asyncio

from prometheus_client import Counter, Gauge

from shared.errors import AppError, LedgerUnavailableError, QueueUnavailableError
from shared.ledger.ledger import Ledger
from shared.logs import get_logger
from shared.metrics.process import PROCESS
from worker.cloudwatch.client import CloudWatchClient
from worker.cloudwatch.data import Datum, difference_data, queue_data
from worker.cloudwatch.errors import CloudWatchAwayError, CloudWatchRefusedError
from worker.cloudwatch.position import Position, Positions
from worker.watch.sample import Sample

_log = get_logger(__name__)

# A failure is marked with the time of its statement and seen when its transaction ends, seconds
# later: who looks no nearer to now than that misses none.
_SETTLED_MS = 15_000

_PUBLISHED = Gauge(
    "ragfleet_cloudwatch_published_timestamp_seconds",
    "When numbers were last written to CloudWatch, in Unix time; 0: never.",
    registry=PROCESS,
)
_FAILURES = Counter(
    "ragfleet_cloudwatch_failures",
    "Times that CloudWatch took nothing, by the error's code.",
    ["code"],
    registry=PROCESS,
)


class CloudWatchPublisher:
    """One installation's; only the beat that leads calls it."""

    def __init__(self, client: CloudWatchClient, positions: Positions, installation: str) -> None:
        self._client = client
        self._positions = positions
        self._installation = installation
        self._is_away = False

    async def publish(self, sample: Sample, ledger: Ledger) -> None:
        """Write everything; that CloudWatch is away is logged when it begins and when it ends."""
        differences, reached = await self._differences(ledger)
        try:
            data = [*queue_data(sample, self._installation), *differences]
            if data:
                await asyncio.to_thread(self._client.put, data)
        except (CloudWatchAwayError, CloudWatchRefusedError) as error:
            self._failed(error)
            return
        if self._is_away:
            _log.info("cloudwatch_back")
            self._is_away = False
        if data:
            _PUBLISHED.set_to_current_time()
        if reached is not None:
            await self._keep(reached)

    async def _differences(self, ledger: Ledger) -> tuple[list[Datum], Position | None]:
        """Return what happened since the last position, and the next; nothing without a ledger."""
        try:
            until_ms = await ledger.workload.now_ms() - _SETTLED_MS
            used = [row.used for row in await ledger.usage.totals()]
            reached = Position(
                failures_until_ms=until_ms,
                llm_calls=sum(one.calls for one in used),
                llm_tokens=sum(one.prompt_tokens + one.completion_tokens for one in used),
            )
            before = await asyncio.to_thread(self._positions.read) or reached
            failures = await ledger.workload.failed_between(before.failures_until_ms, until_ms)
        except (LedgerUnavailableError, QueueUnavailableError):
            return [], None
        return difference_data(
            before, reached, failures=failures, installation=self._installation
        ), reached

    async def _keep(self, reached: Position) -> None:
        try:
            await asyncio.to_thread(self._positions.write, reached)
        except QueueUnavailableError:
            _log.warning("cloudwatch_position_not_kept")  # the same is told once more

    def _failed(self, error: AppError) -> None:
        _FAILURES.labels(error.code).inc()
        if not self._is_away:
            _log.warning("metrics_not_published", code=error.code, detail=error.detail)
        self._is_away = True
