"""What the broker knows: messages that wait, those that workers have in hand, and which workers."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from shared.contract.names import QueueName
from shared.errors import QueueUnavailableError
from shared.metrics.stores import count_store_error

_TIMEOUT_S = 5.0
# Workers answer in milliseconds; one that computes may take longer.
_ANSWER_S = 1.5
# A worker whose answer is late once still counts, one that ended does not for long.
_REMEMBERED_S = 60.0
# Kombu's name for what was delivered and not acknowledged; all queues share it.
_UNACKED = "unacked"
_PAGE = 500


@dataclass(frozen=True)
class BrokerSeen:
    """The queues at one moment."""

    waiting: Mapping[QueueName, int]
    unacked: Mapping[QueueName, int]
    """Delivered and not acknowledged. What a killed worker had counts until it is redelivered."""
    consumers: Mapping[QueueName, int]
    """Worker processes that serve a queue."""
    memory_bytes: int
    max_memory_bytes: int
    """0: without a limit of its own."""


class Broker:
    """Asks Redis, and through it the workers; blocks, so it is called in threads."""

    def __init__(
        self,
        app: Celery,
        url: str,
        *,
        answer_s: float = _ANSWER_S,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._answer_s = answer_s
        self._clock_s = clock_s
        self._redis = redis.Redis.from_url(
            url,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
            client_name="ragfleet-beat",
        )
        self._workers: dict[str, tuple[frozenset[QueueName], float]] = {}

    def look(self) -> BrokerSeen:
        """Count messages and workers.

        Raises:
            QueueUnavailableError: Redis did not answer.
        """
        try:
            memory = self._redis.info("memory")
            return BrokerSeen(
                waiting={queue: self._length(queue) for queue in QueueName},
                unacked=self._unacked(),
                consumers=self._consumers(),
                memory_bytes=int(memory["used_memory"]),
                max_memory_bytes=int(memory.get("maxmemory", 0)),
            )
        except (redis.RedisError, OperationalError, OSError) as error:
            away = QueueUnavailableError()
            count_store_error("broker", away)
            raise away from error

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _length(self, queue: QueueName) -> int:
        return self._redis.llen(queue.value)

    def _unacked(self) -> dict[QueueName, int]:
        counts = dict.fromkeys(QueueName, 0)
        # In pages: a worker has up to WORKER_THREADS of them, and Redis serves nobody meanwhile.
        for _, message in self._redis.hscan_iter(_UNACKED, count=_PAGE):
            queue = _queue_of(message)
            if queue is not None:
                counts[queue] += 1
        return counts

    def _consumers(self) -> dict[QueueName, int]:
        now_s = self._clock_s()
        answers = self._app.control.inspect(timeout=self._answer_s).active_queues() or {}
        for node, queues in answers.items():
            names = {queue["name"] for queue in queues}
            self._workers[node] = (frozenset(q for q in QueueName if q.value in names), now_s)
        self._workers = {
            node: (served, seen_at_s)
            for node, (served, seen_at_s) in self._workers.items()
            if now_s - seen_at_s <= _REMEMBERED_S
        }
        counts = Counter(queue for served, _ in self._workers.values() for queue in served)
        return {queue: counts[queue] for queue in QueueName}


def _queue_of(message: bytes) -> QueueName | None:
    """Read kombu's `[message, exchange, routing key]`; our routing keys are names of queues."""
    try:
        return QueueName(json.loads(message)[2])
    except (ValueError, LookupError, TypeError):
        return None
