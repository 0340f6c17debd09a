"""What a process writes down is what Prometheus reads, in names as its users expect them."""

from prometheus_client import CollectorRegistry, generate_latest

from api.metrics import LedgerView, RequestMetrics
from shared.contract.names import QueueName
from shared.ledger.records import TaskState
from shared.ledger.workload import QueueWork, WorkSeen
from shared.metrics.process import PROCESS
from tests.unit.monitoring.conftest import Promtool
from worker.watch.broker import BrokerSeen
from worker.watch.collector import FleetCollector
from worker.watch.sample import STAGES, Sample

WORK = WorkSeen(dict.fromkeys(STAGES, QueueWork(3, 4.5)), oldest_ready_s=1.5, open_journals=1)
COUNTS = dict.fromkeys(QueueName, 2)


def test_prometheus_takes_what_the_api_says(promtool: Promtool) -> None:
    metrics = RequestMetrics()
    metrics.observe(method="GET", route="/", status=200, duration_s=0.1)
    view = LedgerView(dict.fromkeys(TaskState, 1), [], WORK)
    checked = promtool("check", "metrics", said=metrics.expose(view, COUNTS).decode())
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_prometheus_takes_what_workers_and_beat_say(promtool: Promtool) -> None:
    registry, collector = CollectorRegistry(), FleetCollector()
    collector.show(
        Sample(WORK, BrokerSeen(COUNTS, COUNTS, COUNTS, memory_bytes=7, max_memory_bytes=9))
    )
    registry.register(collector)
    text = (generate_latest(registry) + generate_latest(PROCESS)).decode()
    assert 'ragfleet_queue_backlog_per_task{queue="extract"} 1.5' in text
    checked = promtool("check", "metrics", said=text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_beat_that_does_not_lead_tells_nothing_of_queues() -> None:
    collector = FleetCollector()
    collector.show(Sample(WORK, None))
    assert any(family.samples for family in collector.collect())
    collector.show(None)
    assert not any(family.samples for family in collector.collect())
