"""Worker and beats on real servers: what Prometheus and CloudWatch are told, and by whom."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from ops.local.ports import free_port
from shared.contract.names import QueueName
from tests.integration.worker.processes import POLL_S, PROJECT, Stack

LIMIT_S = 120


@contextmanager
def beat(stack: Stack, port: int, aws: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,  # noqa: TID251 - a child inherits PATH
        **stack.variables,
        **aws,
        "CLOUDWATCH_ENABLED": "true",
        "CLOUDWATCH_INSTALLATION": f"port-{port}",
        "METRICS_PORT": str(port),
    }
    with (stack.folder / f"beat-{port}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.beat"],
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def told(port: int, line: str) -> None:
    """Wait until a process tells this line."""
    async with httpx.AsyncClient() as http, asyncio.timeout(LIMIT_S):
        while True:
            try:
                text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            except httpx.TransportError:
                text = ""
            if line in text:
                return
            await asyncio.sleep(POLL_S)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - no event crosses processes
            await asyncio.sleep(POLL_S)


def installations(cloudwatch: Any) -> set[str]:
    """Who has written."""
    found = cloudwatch.list_metrics(Namespace="LightRAGFleet")["Metrics"]
    return {
        one["Value"]
        for metric in found
        for one in metric["Dimensions"]
        if one["Name"] == "Installation"
    }


def value(cloudwatch: Any, name: str, **dimensions: str) -> float | None:
    now = datetime.now(UTC)
    found = cloudwatch.get_metric_statistics(
        Namespace="LightRAGFleet",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": one} for key, one in dimensions.items()],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(found[0]["Maximum"]) if found else None


@pytest.mark.long
@pytest.mark.timeout(4 * LIMIT_S)
async def test_one_of_two_beats_watches_the_fleet_and_the_other_takes_over(
    stack: Stack, aws: dict[str, str]
) -> None:
    options = {"endpoint_url": aws["AWS_ENDPOINT_URL"], "region_name": "us-east-1"}
    cloudwatch = boto3.client(
        "cloudwatch", aws_access_key_id="test", aws_secret_access_key="test", **options
    )
    worker_port, first_port, second_port = free_port(), free_port(), free_port()
    await stack.worker(*QueueName, METRICS_PORT=str(worker_port))
    stack.models.hanging = True
    await stack.upload("waits")
    await told(worker_port, 'ragfleet_stages_running{stage="prepare"} 1.0')
    with beat(stack, first_port, aws) as first:
        await told(first_port, "ragfleet_beat_leader 1.0")
        await told(first_port, 'ragfleet_queue_consumers{queue="extract"} 1.0')
        await told(first_port, 'ragfleet_queue_backlog_per_task{queue="prepare"} 1.0')
        await told(first_port, 'ragfleet_queue_unacked{queue="prepare"} 1.0')
        await told(first_port, 'ragfleet_beat_sent_timestamp_seconds{message="maintenance.sweep"}')
        of_prepare = {"Installation": f"port-{first_port}", "Queue": "prepare"}
        await until(lambda: value(cloudwatch, "BacklogPerTask", **of_prepare) == 1)
        with beat(stack, second_port, aws):
            await told(second_port, "ragfleet_beat_leader 0.0")
            assert installations(cloudwatch) == {f"port-{first_port}"}
            first.send_signal(signal.SIGKILL)
            await told(second_port, "ragfleet_beat_leader 1.0")
            await until(lambda: f"port-{second_port}" in installations(cloudwatch))
            stack.models.hanging = False
            await told(
                worker_port,
                'ragfleet_stage_duration_seconds_count{outcome="done",stage="apply"} 1.0',
            )
            await told(worker_port, 'ragfleet_commit_leases_total{result="taken"} 1.0')
            await told(worker_port, 'ragfleet_model_call_duration_seconds_count{model="llm"')
            await told(second_port, 'ragfleet_queue_backlog{queue="prepare"} 0.0')
