"""Samples and differences as CloudWatch wants them."""

from datetime import UTC, datetime
from typing import Any

from worker.cloudwatch.position import Position
from worker.watch.sample import STAGES, Sample

Datum = dict[str, Any]


def queue_data(sample: Sample, installation: str) -> list[Datum]:
    """Describe every queue that workers are scaled by; what nobody could tell is left out."""
    data: list[Datum] = []
    for queue in STAGES:
        values: list[tuple[str, float | None, str]] = [
            ("BacklogPerTask", sample.backlog_per_task(queue), "Count"),
            ("Waiting", sample.broker.waiting[queue] if sample.broker else None, "Count"),
            ("Unacked", sample.broker.unacked[queue] if sample.broker else None, "Count"),
            (
                "OldestTaskAge",
                sample.work.queues[queue].oldest_task_age_s if sample.work else None,
                "Seconds",
            ),
        ]
        data += [
            _datum(name, value, unit, {"Installation": installation, "Queue": queue.value})
            for name, value, unit in values
            if value is not None
        ]
    return data


def difference_data(
    before: Position, after: Position, *, failures: int, installation: str
) -> list[Datum]:
    """Describe what happened between two positions.

    Totals that fell belong to a ledger that was restored: then the count begins anew.
    """
    values = {
        "Failures": failures,
        "LlmCalls": max(0, after.llm_calls - before.llm_calls),
        "LlmTokens": max(0, after.llm_tokens - before.llm_tokens),
    }
    return [
        _datum(name, value, "Count", {"Installation": installation})
        for name, value in values.items()
    ]


def _datum(name: str, value: float, unit: str, dimensions: dict[str, str]) -> Datum:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
        "Timestamp": datetime.now(UTC),
        "Value": float(value),
        "Unit": unit,
    }
