"""What the rehearsal takes for well, and for a container that ended by itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.containers import container_of
from deploy.rehearsal.crashes import _groups
from deploy.rehearsal.engine import Engine
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.monitoring import _require_known

Row = dict[str, Any]


def row(service: str, *, restarts: int = 0, test: list[str] | None = None) -> Row:
    return {
        "Id": f"id of {service}",
        "Config": {
            "Labels": {"com.docker.compose.service": service},
            "Healthcheck": {"Test": test} if test else None,
        },
        "State": {"Status": "running", "ExitCode": 0, "Pid": 42},
        "RestartCount": restarts,
    }


class ToldEngine(Engine):
    """Says of the containers what a test gave it."""

    rows: Mapping[str, Row]

    def docker(self, *words: str | Path, **_: object) -> str:
        if "ps" in words:
            return "\n".join(self.rows)
        return json.dumps(list(self.rows.values())) if "inspect" in words else "the log"


def installation(*rows: Row) -> Installation:
    engine = ToldEngine({}, "1")
    object.__setattr__(engine, "rows", {each["Id"].replace(" ", "-"): each for each in rows})
    return Installation(engine, Path())


@pytest.mark.parametrize(
    ("test", "command"),
    [
        (["CMD", "python", "-m", "worker.health"], ("python", "-m", "worker.health")),
        (
            ["CMD-SHELL", "redis-cli ping | grep PONG"],
            ("/bin/sh", "-c", "redis-cli ping | grep PONG"),
        ),
        (["NONE"], ()),
        (None, ()),
    ],
)
def test_a_health_check_is_run_as_the_engine_runs_it(
    test: list[str] | None, command: tuple[str, ...]
) -> None:
    assert container_of(row("api", test=test)).check == command


def test_a_container_that_was_killed_once_may_restart_once() -> None:
    crashed = installation(row("redis", restarts=1), row("api"))
    crashed.crash(crashed.containers()[0], helper="an image")
    assert crashed.require_no_own_restarts() == {"redis": 1}


def test_a_container_that_ended_by_itself_fails_the_rehearsal() -> None:
    crashed = installation(row("redis", restarts=1), row("worker-prepare", restarts=1))
    crashed.crash(crashed.containers()[0], helper="an image")
    with pytest.raises(RehearsalError, match="worker-prepare: killed 0 times, restarted 1 times"):
        crashed.require_no_own_restarts()


def test_every_running_container_is_killed_whatever_its_name() -> None:
    names = ["beat", "neo4j", "one-more", "redis", "worker-commit", "worker-extract"]
    groups = _groups([container_of(row(name)) for name in names])
    assert [[each.service for each in group] for group in groups] == [
        ["neo4j", "beat"],
        ["redis"],
        ["worker-commit", "worker-extract"],
        ["one-more"],
    ]


def test_a_query_of_a_metric_that_no_target_has_fails_the_rehearsal() -> None:
    known = {"ragfleet_stage_duration_seconds", "ragfleet_http_requests"}
    fine = ["rate(ragfleet_http_requests_total[1m])", "ragfleet_stage_duration_seconds_bucket"]
    _require_known([*fine, "max(ragfleet_cloudwatch_published_timestamp_seconds)"], known)
    with pytest.raises(RehearsalError, match=r"no target has ragfleet_renamed$"):
        _require_known([*fine, "max(ragfleet_renamed)"], known)
