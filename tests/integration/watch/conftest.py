"""A CloudWatch of moto's, a real ledger and a real broker, without any worker."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from celery import Celery

from shared.connections import broker_url, ledger_url
from shared.contract.celery_options import shared_options
from shared.contract.celery_sender import CelerySender
from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.settings import Settings, load_settings
from tests.services import server_variables
from worker.cloudwatch.client import NAMESPACE, CloudWatchClient
from worker.cloudwatch.position import Positions
from worker.cloudwatch.publisher import CloudWatchPublisher
from worker.watch.broker import Broker
from worker.watch.sample import Sample, take_sample


@pytest.fixture
def aws_environment(
    aws: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """AWS's variables in this process, and a CloudWatch without metrics."""
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers credentials
    yield aws
    import requests  # noqa: PLC0415 - moto's own, to reset it by

    requests.post(f"{aws['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=30)


@dataclass(frozen=True)
class CloudWatch:
    """What arrived there."""

    client: Any

    def total(self, name: str, **dimensions: str) -> float | None:
        """The sum of all values of one metric; None: it was never written."""
        now = datetime.now(UTC)
        wanted = {"Installation": "tests", **dimensions}
        found = self.client.get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "all",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": NAMESPACE,
                            "MetricName": name,
                            "Dimensions": [
                                {"Name": key, "Value": value} for key, value in wanted.items()
                            ],
                        },
                        "Period": 3600,
                        "Stat": "Sum",
                    },
                }
            ],
            StartTime=now - timedelta(hours=2),  # moto looks at every period of the span
            EndTime=now + timedelta(hours=2),
        )
        values = [float(value) for value in found["MetricDataResults"][0]["Values"]]
        return sum(values) if values else None


@pytest.fixture(scope="session")
def cloudwatch_client(aws: dict[str, str]) -> Any:
    return boto3.client(
        "cloudwatch",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        region_name=aws["AWS_DEFAULT_REGION"],
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture
def cloudwatch(aws_environment: dict[str, str], cloudwatch_client: Any) -> CloudWatch:
    return CloudWatch(cloudwatch_client)


@dataclass
class Ground:
    """What a test does with an installation that has no worker."""

    settings: Settings
    ledger: Ledger
    sender: CelerySender
    broker: Broker

    def publisher(self) -> CloudWatchPublisher:
        """As a beat that has just started has it."""
        positions = Positions(broker_url(self.settings), "tests")
        client = CloudWatchClient(self.settings.cloudwatch)
        return CloudWatchPublisher(client, positions, "tests")

    async def sample(self) -> Sample:
        return await take_sample(self.ledger, self.broker)

    async def publish(self, publisher: CloudWatchPublisher | None = None) -> None:
        await (publisher or self.publisher()).publish(await self.sample(), self.ledger)


@pytest.fixture
async def ground(fresh_database: str, fresh_valkey: str) -> AsyncIterator[Ground]:
    settings = load_settings(
        None,
        overrides={
            **server_variables(fresh_database, fresh_valkey),
            "CLOUDWATCH_ENABLED": "true",
            "CLOUDWATCH_INSTALLATION": "tests",
        },
    )
    await asyncio.to_thread(migrate, ledger_url(settings))
    ledger = await Ledger.open(ledger_url(settings))
    assert await ledger.workspaces.get(DEFAULT_WORKSPACE)
    sender = CelerySender(broker_url(settings))
    app = Celery("tests", set_as_current=False)
    app.conf.update(shared_options(broker_url(settings)))
    broker = Broker(app, broker_url(settings), answer_s=0.1)  # there is no worker
    yield Ground(settings, ledger, sender, broker)
    broker.close()
    app.close()
    await sender.close()
    await ledger.close()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failures count at once, not a quarter of a minute later."""
    monkeypatch.setattr("worker.cloudwatch.publisher._SETTLED_MS", 0)
