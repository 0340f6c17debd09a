"""docs/metrics.md lists every metric, with the type, the labels and the meaning that it has."""

import re
from pathlib import Path

from shared.ledger.workload import QueueWork, WorkSeen
from tests.unit.monitoring.registered import ours, registered
from worker.cloudwatch.data import difference_data, queue_data
from worker.cloudwatch.position import Position
from worker.watch.broker import BrokerSeen
from worker.watch.sample import STAGES, Sample

PAGE = (Path(__file__).parents[3] / "docs/metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(ragfleet_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
CLOUDWATCH_ROW = re.compile(r"^\| `([A-Z]\w+)` \| ([^|]*?) \| ([A-Z]\w+) \|", re.MULTILINE)


def test_every_metric_is_listed_as_it_is_registered_and_no_other() -> None:
    expected = {
        metric.name: (metric.type, ", ".join(metric.labels), metric.meaning)
        for metric in ours(registered())
    }
    listed = {
        row[0]: (row[1], row[2].replace("`", "").strip("–"), row[3]) for row in ROW.findall(PAGE)
    }
    assert listed == expected


def test_no_metric_is_listed_twice() -> None:
    names = [row[0] for row in ROW.findall(PAGE)]
    assert len(names) == len(set(names))


def test_no_label_grows_with_what_users_bring() -> None:
    unbounded = {"workspace", "task_id", "doc_id", "path", "file_name", "request_id", "worker"}
    for metric in registered().values():
        assert not unbounded & set(metric.labels), metric


def test_every_metric_in_cloudwatch_is_listed_with_its_dimensions_and_unit() -> None:
    nothing = dict.fromkeys(STAGES, 0)
    broker = BrokerSeen(nothing, nothing, nothing, memory_bytes=0, max_memory_bytes=0)
    work = WorkSeen(dict.fromkeys(STAGES, QueueWork(0, 0)), oldest_ready_s=0, open_journals=0)
    position = Position(0, 0, 0)
    data = [
        *queue_data(Sample(work, broker), "i"),
        *difference_data(position, position, failures=0, installation="i"),
    ]
    written = {
        datum["MetricName"]: (
            ", ".join(f"`{one['Name']}`" for one in datum["Dimensions"]),
            datum["Unit"],
        )
        for datum in data
    }
    assert {row[0]: (row[1], row[2]) for row in CLOUDWATCH_ROW.findall(PAGE)} == written
