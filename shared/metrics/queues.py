"""What waits, for how long: told by the API, and by the beat that is in charge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.contract.names import QueueName
from shared.ledger.workload import WorkSeen


@dataclass(frozen=True)
class QueuesSeen:
    """What there was to do at one moment; None: who knows it did not answer."""

    work: WorkSeen | None = None
    waiting: Mapping[QueueName, int] | None = None


class QueueCollector(Collector):
    """Tells what was seen last, all of it at once; nothing where nobody could look."""

    def __init__(self) -> None:
        self.seen = QueuesSeen()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Make the families of one scrape."""
        seen = self.seen
        waiting = by_queue(
            "ragfleet_queue_waiting", "Messages in the broker that no worker has taken yet."
        )
        backlog = by_queue(
            "ragfleet_queue_backlog",
            "Work that could be done now or is in hand: documents (prepare), batches (extract), "
            "workspaces (commit).",
        )
        oldest = by_queue(
            "ragfleet_queue_oldest_task_age_seconds",
            "How long ago the oldest task of the stage was begun, or asked for; 0 without any.",
        )
        ready = GaugeMetricFamily(
            "ragfleet_commit_oldest_ready_seconds",
            "How long the oldest task that waits for its workspace's writer has been ready.",
        )
        journals = GaugeMetricFamily(
            "ragfleet_commit_open_journals",
            "Groups of commits that are written down and not yet in all stores.",
        )
        for queue, count in (seen.waiting or {}).items():
            waiting.add_metric([queue.value], count)
        if seen.work is not None:
            for queue, found in seen.work.queues.items():
                backlog.add_metric([queue.value], found.backlog)
                oldest.add_metric([queue.value], found.oldest_task_age_s)
            ready.add_metric([], seen.work.oldest_ready_s)
            journals.add_metric([], seen.work.open_journals)
        return [waiting, backlog, oldest, ready, journals]


def by_queue(name: str, documentation: str) -> GaugeMetricFamily:
    """Make an empty family with one series a queue."""
    return GaugeMetricFamily(name, documentation, labels=["queue"])
