"""What beat writes to CloudWatch, with no worker anywhere."""

from dataclasses import replace

import pytest
import structlog

from shared.contract.names import QueueName
from shared.contract.payloads import PrepareDocument
from shared.errors import SettingsError
from shared.ids import TaskId
from shared.ledger.accounts import Usage, UsageKey
from shared.ledger.records import Task
from shared.settings_monitoring import CloudWatchSettings
from tests.contract.ledger.steps import Steps
from tests.integration.watch.conftest import CloudWatch, Ground
from worker.cloudwatch.client import CloudWatchClient
from worker.watch.sample import Sample

STAGES = ("prepare", "extract", "commit")


async def fail_one(ground: Ground, doc_id: str) -> Task:
    claim = await Steps(ground.ledger).preparing(doc_id)
    await ground.ledger.tasks.fail(claim, error_code="c", error_detail="d")
    return claim.task


async def use_model(ground: Ground, *, calls: int, tokens: int) -> None:
    key = UsageKey("default", "", "m", "extract", "2026-11-29")
    await ground.ledger.usage.add({key: Usage(calls, tokens - 1, 1)})


async def test_work_is_seen_when_no_worker_runs(ground: Ground, cloudwatch: CloudWatch) -> None:
    for doc_id in ("a", "b", "c"):
        await Steps(ground.ledger).queued(doc_id)
    await ground.sender.send(PrepareDocument(task_id=TaskId("task-a")))
    await ground.publish()
    assert cloudwatch.total("BacklogPerTask", Queue="prepare") == 3
    assert cloudwatch.total("Waiting", Queue="prepare") == 1
    assert cloudwatch.total("Unacked", Queue="prepare") == 0
    assert (cloudwatch.total("OldestTaskAge", Queue="prepare") or 0) > 0


async def test_an_idle_installation_tells_zeros_so_that_nothing_lacks_data(
    ground: Ground, cloudwatch: CloudWatch
) -> None:
    await ground.publish()
    for queue in STAGES:
        for name in ("BacklogPerTask", "Waiting", "Unacked", "OldestTaskAge"):
            assert cloudwatch.total(name, Queue=queue) == 0, (name, queue)
    for name in ("Failures", "LlmCalls", "LlmTokens"):
        assert cloudwatch.total(name) == 0, name


async def test_the_backlog_is_shared_out_over_the_consumers(ground: Ground) -> None:
    for number in range(8):
        await Steps(ground.ledger).queued(f"doc-{number}")
    sample = await ground.sample()
    assert sample.broker is not None
    assert sample.broker.consumers[QueueName.PREPARE] == 0
    four = replace(sample.broker, consumers={**sample.broker.consumers, QueueName.PREPARE: 4})
    assert Sample(sample.work, four).backlog_per_task(QueueName.PREPARE) == 2


@pytest.mark.usefixtures("settled")
async def test_failures_and_calls_are_told_once_by_whichever_beat(
    ground: Ground, cloudwatch: CloudWatch
) -> None:
    await use_model(ground, calls=7, tokens=700)  # before anybody watched
    await ground.publish()
    await fail_one(ground, "a")
    await use_model(ground, calls=2, tokens=30)
    publisher = ground.publisher()
    await ground.publish(publisher)
    await ground.publish(publisher)
    await ground.publish()  # a beat that was started anew
    assert cloudwatch.total("Failures") == 1
    assert cloudwatch.total("LlmCalls") == 2
    assert cloudwatch.total("LlmTokens") == 30


@pytest.mark.usefixtures("settled")
async def test_what_happens_while_aws_is_away_is_told_afterwards_and_the_outage_logged_once(
    ground: Ground, cloudwatch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.publish()
    publisher = ground.publisher()
    with monkeypatch.context() as away, structlog.testing.capture_logs() as logs:
        away.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        cut_off = ground.publisher()
        await fail_one(ground, "a")
        await ground.publish(cut_off)
        await fail_one(ground, "b")
        await ground.publish(cut_off)
    assert [(line["event"], line["code"]) for line in logs] == [
        ("metrics_not_published", "cloudwatch_away")
    ]
    assert cloudwatch.total("Failures") == 0
    await ground.publish(publisher)
    assert cloudwatch.total("Failures") == 2


async def test_without_credentials_beat_says_what_to_allow(
    ground: Ground, cloudwatch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with structlog.testing.capture_logs() as logs:
        await ground.publish()
    [line] = [line for line in logs if line["event"] == "metrics_not_published"]
    assert line["code"] == "cloudwatch_refused"
    assert "cloudwatch:PutMetricData" in line["detail"]


async def test_without_a_ledger_only_the_broker_is_told_of(
    ground: Ground, cloudwatch: CloudWatch
) -> None:
    sample = await ground.sample()
    await ground.publisher().publish(Sample(work=None, broker=sample.broker), ground.ledger)
    assert cloudwatch.total("Waiting", Queue="prepare") == 0
    assert cloudwatch.total("BacklogPerTask", Queue="prepare") is None


def test_a_region_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(SettingsError, match="CLOUDWATCH_REGION is not set"):
        CloudWatchClient(CloudWatchSettings(enabled=True))
