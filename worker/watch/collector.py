"""The gauges of the beat that is in charge."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.metrics.queues import QueueCollector, QueuesSeen, by_queue
from worker.watch.sample import STAGES, Sample

_NOTHING = Sample(work=None, broker=None)


class FleetCollector(Collector):
    """Tells the last sample; nothing while another beat is in charge."""

    def __init__(self) -> None:
        self._queues = QueueCollector()
        self._sample = _NOTHING

    def show(self, sample: Sample | None) -> None:
        """Tell this from now on; None: nothing."""
        self._sample = sample or _NOTHING
        broker = self._sample.broker
        self._queues.seen = QueuesSeen(self._sample.work, broker.waiting if broker else None)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Make the families of one scrape."""
        sample = self._sample
        unacked = by_queue(
            "ragfleet_queue_unacked",
            "Messages that workers have in hand, those of killed ones included.",
        )
        consumers = by_queue("ragfleet_queue_consumers", "Worker processes that serve the queue.")
        shares = by_queue(
            "ragfleet_queue_backlog_per_task",
            "The backlog divided by the consumers, or by 1 without any; CloudWatch has the same.",
        )
        memory = GaugeMetricFamily(
            "ragfleet_broker_memory_bytes",
            "Memory of the broker's Redis: used, and its maxmemory (0: no limit).",
            labels=["kind"],
        )
        if sample.broker is not None:
            for queue, count in sample.broker.unacked.items():
                unacked.add_metric([queue.value], count)
            for queue, count in sample.broker.consumers.items():
                consumers.add_metric([queue.value], count)
            memory.add_metric(["used"], sample.broker.memory_bytes)
            memory.add_metric(["limit"], sample.broker.max_memory_bytes)
        for queue in STAGES:
            share = sample.backlog_per_task(queue)
            if share is not None:
                shares.add_metric([queue.value], share)
        return [*self._queues.collect(), unacked, consumers, shares, memory]
