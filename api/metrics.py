"""What Prometheus is told: requests, tasks, model calls of the fleet, and the process itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from shared.contract.names import QueueName
from shared.ledger.accounts import UsageRow
from shared.ledger.records import TaskState
from shared.ledger.workload import WorkSeen
from shared.metrics.process import PROCESS
from shared.metrics.queues import QueueCollector, QueuesSeen

# Uploads and answers of a language model take seconds, look-ups take milliseconds.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# A client may invent methods; each would be a new series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class LedgerView:
    """What the ledger said at a scrape."""

    tasks: dict[TaskState, int]
    usage: list[UsageRow]
    work: WorkSeen


UPLOAD_BYTES = Counter(
    "ragfleet_upload_bytes", "Bytes of the files that were kept.", registry=PROCESS
)


class _ModelCalls(Collector):
    """Counters that the ledger keeps for the whole fleet: any process may tell them."""

    def __init__(self) -> None:
        self.usage: list[UsageRow] = []

    def collect(self) -> Iterable[CounterMetricFamily]:
        calls = CounterMetricFamily(
            "ragfleet_model_calls", "Model calls that were answered.", labels=["model", "purpose"]
        )
        tokens = CounterMetricFamily(
            "ragfleet_model_tokens",
            "Tokens that model calls took.",
            labels=["model", "purpose", "kind"],
        )
        for row in self.usage:
            calls.add_metric([row.model, row.purpose], row.used.calls)
            tokens.add_metric([row.model, row.purpose, "prompt"], row.used.prompt_tokens)
            tokens.add_metric([row.model, row.purpose, "completion"], row.used.completion_tokens)
        return [calls, tokens]


class RequestMetrics:
    """The series of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ragfleet_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._duration = Histogram(
            "ragfleet_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "ragfleet_http_requests_in_flight",
            "Requests that are being answered.",
            registry=self._registry,
        )
        self._tasks = Gauge(
            "ragfleet_tasks", "Tasks in the ledger.", ["state"], registry=self._registry
        )
        self._model_calls = _ModelCalls()
        self._registry.register(self._model_calls)
        self._queues = QueueCollector()
        self._registry.register(self._queues)
        self._ledger_reachable = Gauge(
            "ragfleet_ledger_reachable",
            "Whether the ledger answered at this scrape.",
            registry=self._registry,
        )

    def observe(self, *, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._duration.labels(method, route).observe(duration_s)

    def expose(self, view: LedgerView | None, waiting: Mapping[QueueName, int] | None) -> bytes:
        """Write all series down, those of the process included.

        Args:
            view: None: the ledger did not answer.
            waiting: messages by queue; None: the broker did not answer.
        """
        self._queues.seen = QueuesSeen(view.work if view else None, waiting)
        self._ledger_reachable.set(view is not None)
        self._tasks.clear()
        self._model_calls.usage = view.usage if view else []
        if view is not None:
            for state in TaskState:
                self._tasks.labels(state.value).set(view.tasks.get(state, 0))
        return generate_latest(self._registry) + generate_latest(PROCESS)
