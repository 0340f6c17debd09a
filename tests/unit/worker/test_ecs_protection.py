"""What the ECS agent is asked, when, and what its answers mean; here it is a local server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

import pytest
from celery import signals
from structlog.testing import capture_logs

from shared.contract.names import TaskName
from shared.settings import load_settings
from shared.settings_ecs import EcsSettings
from tests.ecs_agent import Agent, served_agent
from worker.ecs.agent import EcsAgent
from worker.ecs.protection import Protection, connect_protection
from worker.ecs.rule import ProtectionRule


@pytest.fixture
def agent() -> Iterator[Agent]:
    with served_agent() as served:
        yield served


@pytest.fixture
def protection(agent: Agent) -> Iterator[Protection]:
    rule = ProtectionRule(linger_s=0)
    watched = Protection(EcsAgent(agent.uri).protect, rule, retry_s=0)
    watched._start()
    yield watched
    watched._stop()
    assert not watched._thread.is_alive()


def task(name: TaskName) -> SimpleNamespace:
    return SimpleNamespace(name=name.value)


def test_protection_is_asked_for_with_an_end_and_given_up_without(agent: Agent) -> None:
    asking = EcsAgent(agent.uri)
    assert asking.protect(True) is None
    assert asking.protect(False) is None
    path = "/api/some-container/task-protection/v1/state"
    assert agent.asked.get() == (path, {"ProtectionEnabled": True, "ExpiresInMinutes": 10})
    assert agent.asked.get() == (path, {"ProtectionEnabled": False})


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (200, b'{"failure": {"Arn": "a", "Reason": "TASK_NOT_VALID"}}', "TASK_NOT_VALID"),
        (400, b'{"error": {"Code": "AccessDeniedException"}}', "AccessDeniedException"),
        (500, b"{}", "HTTP 500"),
        (200, b"<html>", "the answer is not JSON"),
        (200, b"[]", "the answer is not an object"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_ecs(
    agent: Agent, status: int, answer: bytes, told: str
) -> None:
    agent.refusals.append((status, answer))
    assert EcsAgent(agent.uri).protect(True) == told


def test_an_agent_that_is_not_there_is_told() -> None:
    assert "refused" in str(EcsAgent("http://127.0.0.1:9").protect(True))


def test_no_proxy_of_the_environment_is_asked(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert EcsAgent(agent.uri).protect(True) is None


def test_a_worker_is_protected_while_it_works(agent: Agent, protection: Protection) -> None:
    protection._began(sender=task(TaskName.EXTRACT), task_id="one")
    assert agent.next()["ProtectionEnabled"] is True
    protection._ended(sender=task(TaskName.EXTRACT), task_id="one")
    assert agent.next()["ProtectionEnabled"] is False


def test_what_failed_is_logged_and_asked_for_again(agent: Agent) -> None:
    agent.refusals.append((400, b'{"error": {"Code": "ThrottlingException"}}'))
    watched = Protection(EcsAgent(agent.uri).protect, ProtectionRule(), retry_s=0)
    with capture_logs() as lines:
        watched._start()
        watched._began(sender=task(TaskName.EXTRACT), task_id="one")
        assert agent.next()["ProtectionEnabled"] is True
        assert agent.next()["ProtectionEnabled"] is True
        watched._stop()
    assert lines[0]["event"] == "scale_in_protection_failed"
    assert lines[0]["reason"] == "ThrottlingException"


def test_the_sweeper_and_the_cleaner_protect_nobody(agent: Agent, protection: Protection) -> None:
    for name in (TaskName.SWEEP, TaskName.CLEAN):
        protection._began(sender=task(name), task_id=name.value)
    assert protection._rule.idle
    protection._began(sender=task(TaskName.BACK_UP), task_id="backup")
    assert agent.next()["ProtectionEnabled"] is True
    with pytest.raises(Empty):
        agent.asked.get_nowait()


def test_nothing_is_listened_to_where_ecs_did_not_start_the_process(tmp_path: Path) -> None:
    settings = load_settings(None, overrides={"DATA_DIR": str(tmp_path)})
    before = len(signals.task_prerun.receivers)
    connect_protection(replace(settings, ecs=EcsSettings(agent_uri="")))
    assert len(signals.task_prerun.receivers) == before
