"""Run the one-off task `init`, which makes and changes tables, and end with its exit code."""

import argparse
from typing import Any

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.description import Description
from deploy.ecs.errors import InitFailedError
from deploy.ecs.services import Patience

# Indexes over the vectors of a large installation take a while.
_AT_MOST_S = 1800
_STARTED_BY = "deploy.ecs.run_init"


def run_init(ecs: Any, found: Description, patience: Patience) -> int:  # noqa: ANN401 - boto3
    """Start it, and wait until it has ended.

    Returns:
        The exit code of the process in it.

    Raises:
        InitFailedError: it could not be started, had no exit code, or was stopped for its time.
    """
    task = _start(ecs, found)
    say(f"Started {task.rpartition('/')[2]} of {found.init.task_definition.rpartition('/')[2]}.")
    for _ in range(patience.looks()):
        (state,) = ecs.describe_tasks(cluster=found.cluster, tasks=[task])["tasks"]
        if state["lastStatus"] == "STOPPED":
            return _exit_code(state, found.init.container)
        patience.sleep(patience.every_s)
    ecs.stop_task(cluster=found.cluster, task=task, reason="it took too long")
    sentence = (
        f"The task init had not ended after {patience.at_most_s:.0f} s and was stopped; look at "
        "its log group. It can be run again: what is there already stays."
    )
    raise InitFailedError(sentence)


def _start(ecs: Any, found: Description) -> str:  # noqa: ANN401 - boto3
    answer = ecs.run_task(
        cluster=found.cluster,
        taskDefinition=found.init.task_definition,
        launchType="FARGATE",
        count=1,
        networkConfiguration=found.init.network,
        startedBy=_STARTED_BY,
    )
    if not answer["tasks"]:
        reasons = ", ".join(one.get("reason", "unknown") for one in answer.get("failures", []))
        raise InitFailedError(f"ECS started no task init: {reasons or 'it gave no reason'}.")
    return str(answer["tasks"][0]["taskArn"])


def _exit_code(state: dict[str, Any], container: str) -> int:
    code = next(
        (one.get("exitCode") for one in state["containers"] if one.get("name") == container), None
    )
    if code is None:  # its image or a secret could not be fetched
        reason = state.get("stoppedReason") or "ECS gave no reason"
        raise InitFailedError(f"The task init never ran: {reason}.")
    return int(code)


def main(arguments: argparse.Namespace) -> int:
    """Run it for the installation that the arguments name."""
    found = described(arguments)
    code = run_init(
        client("ecs", found.region), found, Patience(at_most_s=arguments.at_most_s, every_s=5)
    )
    if code:
        raise InitFailedError(
            f"The task init ended with exit code {code}; no service was touched. Its log group "
            "says why."
        )
    say("The task init ended with exit code 0.")
    return code


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("--at-most-s", type=float, default=_AT_MOST_S, help="default: %(default)s")
    read = given.parse_args()
    end(lambda: main(read))
