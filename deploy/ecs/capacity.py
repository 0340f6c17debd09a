"""Stop all services of an installation, or start them again with as many tasks as before."""

import argparse
import json
from pathlib import Path
from typing import Any

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.description import Description
from deploy.ecs.errors import DescriptionError, RollFailedError
from deploy.ecs.services import Patience

_DIMENSION = "ecs:service:DesiredCount"
_NAMESPACE = "ecs"
_SUSPENDABLE = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)

Client = Any
"""boto3 makes its classes as it goes."""


def stop(
    ecs: Client, scaling: Client, found: Description, counts: Path, patience: Patience
) -> dict[str, int]:
    """Stop them, the API first, and wait until no task is left.

    Autoscaling is suspended before, or it would start tasks again: its smallest count is not 0.

    Args:
        ecs: boto3's client.
        scaling: that of `application-autoscaling`.
        found: the installation.
        counts: where to write, first of all, how many tasks each service has.
        patience: with each service.

    Raises:
        RollFailedError: tasks of a service do not end.
    """
    now = {tier.name: _described(ecs, found, tier.service)["desiredCount"] for tier in found.tiers}
    if not counts.exists():  # a second attempt would write down zeros
        counts.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")
    for tier in reversed(found.tiers):
        suspend(scaling, found.cluster, tier.service, suspended=True)
        say(f"{tier.name}: {now[tier.name]} -> 0")
        ecs.update_service(cluster=found.cluster, service=tier.service, desiredCount=0)
        _await_none(ecs, found, tier.service, patience)
    return now


def start(ecs: Client, scaling: Client, found: Description, counts: Path) -> dict[str, int]:
    """Start them again, workers first, and let autoscaling go on; does not wait.

    Raises:
        DescriptionError: `counts` is not what `stop` wrote.
    """
    try:
        before = json.loads(counts.read_text(encoding="utf-8"))
        wanted = {tier.name: int(before[tier.name]) for tier in found.tiers}
    except (OSError, ValueError, KeyError, TypeError) as error:
        sentence = f"{counts} is not what `capacity stop` wrote ({type(error).__name__})."
        raise DescriptionError(sentence) from None
    for tier in found.tiers:
        say(f"{tier.name}: -> {wanted[tier.name]}")
        ecs.update_service(
            cluster=found.cluster, service=tier.service, desiredCount=wanted[tier.name]
        )
        suspend(scaling, found.cluster, tier.service, suspended=False)
    return wanted


def suspend(scaling: Client, cluster: str, service: str, *, suspended: bool) -> None:
    """Suspend a service's autoscaling or let it go on, where it has any."""
    resource = f"service/{cluster}/{service}"
    answer = scaling.describe_scalable_targets(
        ServiceNamespace=_NAMESPACE, ResourceIds=[resource], ScalableDimension=_DIMENSION
    )
    if answer["ScalableTargets"]:
        scaling.register_scalable_target(
            ServiceNamespace=_NAMESPACE,
            ResourceId=resource,
            ScalableDimension=_DIMENSION,
            SuspendedState=dict.fromkeys(_SUSPENDABLE, suspended),
        )


def _described(ecs: Client, found: Description, service: str) -> dict[str, Any]:
    answer = ecs.describe_services(cluster=found.cluster, services=[service])["services"]
    if not answer:
        raise RollFailedError(f"The cluster {found.cluster} has no service {service}.")
    return dict(answer[0])


def _await_none(ecs: Client, found: Description, service: str, patience: Patience) -> None:
    for _ in range(patience.looks()):
        state = _described(ecs, found, service)
        if state["runningCount"] + state["pendingCount"] == 0:
            return
        patience.sleep(patience.every_s)
    sentence = f"{service} still has tasks after {patience.at_most_s:.0f} s; look at its events."
    raise RollFailedError(sentence)


def main(arguments: argparse.Namespace) -> None:
    """Stop or start the installation that the arguments name."""
    found = described(arguments)
    ecs = client("ecs", found.region)
    scaling = client("application-autoscaling", found.region)
    if arguments.what == "stop":
        stop(ecs, scaling, found, arguments.counts, Patience())
        say(f"No task runs any more; {arguments.counts} says how many there were.")
    else:
        start(ecs, scaling, found, arguments.counts)
        say("Every service has its count again; ECS starts the tasks now.")


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("what", choices=["stop", "start"])
    given.add_argument(
        "--counts",
        type=Path,
        default=Path("counts.json"),
        help="how many tasks each service had (default: %(default)s)",
    )
    read = given.parse_args()
    end(lambda: main(read))
