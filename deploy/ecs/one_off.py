"""Run a process to its end in a task of its own, inside the installation's network."""

from collections.abc import Sequence
from typing import Any

from deploy.ecs.command import say
from deploy.ecs.description import Description
from deploy.ecs.errors import TaskFailedError
from deploy.ecs.services import Patience

_STARTED_BY = "deploy.ecs"
# Tasks that end, and whose exit code counts, are looked at more often than services.
EVERY_S = 5.0


def run_once(
    ecs: Any,  # noqa: ANN401 - boto3
    found: Description,
    patience: Patience,
    command: Sequence[str] = (),
) -> int:
    """Start the task `init`, and wait until it has ended.

    Args:
        ecs: boto3's client.
        found: the installation.
        patience: how long.
        command: what to run instead of the task's own command.

    Returns:
        The exit code of the process in it.

    Raises:
        TaskFailedError: it could not be started, had no exit code, or was stopped for its time.
    """
    task = _start(ecs, found, command)
    say(f"Started {task.rpartition('/')[2]} of {found.init.task_definition.rpartition('/')[2]}.")
    for _ in range(patience.looks()):
        (state,) = ecs.describe_tasks(cluster=found.cluster, tasks=[task])["tasks"]
        if state["lastStatus"] == "STOPPED":
            return _exit_code(state, found.init.container)
        patience.sleep(patience.every_s)
    ecs.stop_task(cluster=found.cluster, task=task, reason="it took too long")
    sentence = (
        f"The task had not ended after {patience.at_most_s:.0f} s and was stopped; look at the log "
        "group of init. It can be run again: what is there already stays."
    )
    raise TaskFailedError(sentence)


def _start(ecs: Any, found: Description, command: Sequence[str]) -> str:  # noqa: ANN401 - boto3
    override = {"name": found.init.container, "command": list(command)}
    answer = ecs.run_task(
        cluster=found.cluster,
        taskDefinition=found.init.task_definition,
        launchType="FARGATE",
        count=1,
        networkConfiguration=found.init.network,
        overrides={"containerOverrides": [override]} if command else {},
        startedBy=_STARTED_BY,
    )
    if not answer["tasks"]:
        reasons = ", ".join(one.get("reason", "unknown") for one in answer.get("failures", []))
        raise TaskFailedError(f"ECS started no task: {reasons or 'it gave no reason'}.")
    return str(answer["tasks"][0]["taskArn"])


def _exit_code(state: dict[str, Any], container: str) -> int:
    code = next(
        (one.get("exitCode") for one in state["containers"] if one.get("name") == container), None
    )
    if code is None:  # its image or a secret could not be fetched
        reason = state.get("stoppedReason") or "ECS gave no reason"
        raise TaskFailedError(f"The task never ran: {reason}.")
    return int(code)
