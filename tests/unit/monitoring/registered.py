"""Every series that any process of ours can have, read from the registries themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

# Imported for what they register.
import shared.metrics.models
import shared.metrics.stores
import worker.cloudwatch.publisher
import worker.metrics
from api.metrics import RequestMetrics
from shared.metrics.process import PROCESS
from worker.watch.collector import FleetCollector
from worker.watch.leadership import Leadership

_MODULES = (
    shared.metrics.models,
    shared.metrics.stores,
    worker.cloudwatch.publisher,
    worker.metrics,
)
_FOREIGN = ("process_", "python_")
"""What prometheus_client itself tells of a process."""


@dataclass(frozen=True)
class Metric:
    name: str
    """As queries write it: counters end with _total, histograms have no suffix yet."""
    type: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def series(self) -> set[str]:
        """The names that a query may use."""
        if self.type == "histogram":
            return {f"{self.name}_{suffix}" for suffix in ("bucket", "sum", "count")}
        return {self.name}


def registered() -> dict[str, Metric]:
    """All metrics of all tiers by name."""
    assert _MODULES
    Leadership()
    beat = CollectorRegistry()
    beat.register(FleetCollector())
    registries = (RequestMetrics()._registry, PROCESS, beat)
    return {metric.name: metric for one in registries for metric in _metrics(one)}


def _metrics(registry: CollectorRegistry) -> Iterator[Metric]:
    for collector in registry._collector_to_names:
        if hasattr(collector, "_name"):  # an instrument; collectors make families at a scrape
            kind, name = collector._type, collector._name
            labels, meaning = collector._labelnames, collector._documentation
            yield _metric(kind, name, labels, meaning)
            continue
        for family in collector.collect():
            labels = getattr(family, "_labelnames", ())
            yield _metric(family.type, family.name, labels, family.documentation)


def _metric(kind: str, name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(f"{name}_total" if kind == "counter" else name, kind, tuple(labels), meaning)


def ours(metrics: dict[str, Metric]) -> list[Metric]:
    return [metric for name, metric in metrics.items() if not name.startswith(_FOREIGN)]
