"""Whether this beat is the one that sends: of two, the other one must stay silent here as well."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from prometheus_client import Gauge
from redbeat import RedBeatScheduler
from redis.exceptions import ConnectionError as NotConnectedError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.logs import get_logger
from shared.metrics.process import PROCESS

_log = get_logger(__name__)
_BROKER_AWAY_PAUSE_S = 1.0
_LEADER = Gauge(
    "ragfleet_beat_leader",
    "1 in the beat that sends and watches; 0 in one that waits to take over.",
    registry=PROCESS,
)
_SENT = Gauge(
    "ragfleet_beat_sent_timestamp_seconds",
    "When beat last sent a message of this name, in Unix time.",
    ["message"],
    registry=PROCESS,
)


class Leadership:
    """RedBeat's lock as seen from outside: held as long as it was extended not long ago."""

    def __init__(self, *, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._held_until_s = 0.0
        # Read at every scrape: who was stopped in between must not seem to lead.
        _LEADER.set_function(lambda: float(self.held))

    @property
    def held(self) -> bool:
        """Whether nobody else can have the lock at this moment."""
        return self._clock_s() < self._held_until_s

    def extended(self, *, asked_at_s: float, timeout_s: float) -> None:
        """Take note that the lock was extended; it counts from before that was asked."""
        self._held_until_s = asked_at_s + timeout_s

    def ended(self) -> None:
        """Take note that the lock is given back."""
        self._held_until_s = 0.0


class WatchedScheduler(RedBeatScheduler):  # type: ignore[misc] # redbeat is untyped
    """RedBeat's scheduler, which extends its lock whenever it ticks, and says so."""

    def __init__(self, *arguments: Any, leadership: Leadership, **options: Any) -> None:  # noqa: ANN401 - celery's
        self._leadership = leadership
        self._is_broker_away = False
        super().__init__(*arguments, **options)

    def tick(self, *arguments: Any, **options: Any) -> float:  # noqa: ANN401 - celery's
        """Send what is due; raises, and so ends beat, when the lock is lost.

        A broker that is away for a moment does not end it: the lock is asked for before anything
        is sent, and whoever does not have it any more learns so from the next tick.
        """
        asked_at_s = monotonic()
        try:
            pause_s: float = super().tick(*arguments, **options)
        except (NotConnectedError, RedisTimeoutError) as error:
            if not self._is_broker_away:  # an outage is one line, however long it lasts
                _log.warning("broker_away", error=type(error).__name__)
            self._is_broker_away = True
            return _BROKER_AWAY_PAUSE_S
        self._is_broker_away = False
        self._leadership.extended(asked_at_s=asked_at_s, timeout_s=self.lock_timeout)
        return pause_s

    def apply_async(self, entry: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - celery's
        """Send one message."""
        sent = super().apply_async(entry, *arguments, **options)
        _SENT.labels(entry.task).set_to_current_time()
        return sent

    def close(self) -> None:
        """Give the lock back; somebody else may lead from now on."""
        self._leadership.ended()
        super().close()
