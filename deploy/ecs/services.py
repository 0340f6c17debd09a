"""Services of a cluster: what they run, moving them to something else, and whether that came up."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.ecs.errors import RollFailedError

# ECS describes no more at a time.
_MOST_AT_ONCE = 10


@dataclass(frozen=True)
class Patience:
    """How often is looked, and for how long at each service."""

    every_s: float = 10
    """ECS starts tasks within a minute or two; it has a budget of calls."""
    at_most_s: float = 900
    """The circuit breaker gives up earlier; this is for a service that has none."""
    sleep: Callable[[float], None] = time.sleep

    def looks(self) -> int:
        """How often at most."""
        return max(1, round(self.at_most_s / self.every_s))


def running(ecs: Any, cluster: str, names: Iterable[str]) -> dict[str, str]:  # noqa: ANN401 - boto3
    """Return the task definition that each service runs, by the service's name.

    Raises:
        RollFailedError: there is no such service.
    """
    wanted = list(names)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _MOST_AT_ONCE):
        answer = ecs.describe_services(
            cluster=cluster, services=wanted[start : start + _MOST_AT_ONCE]
        )
        found |= {
            one["serviceName"]: one["taskDefinition"]
            for one in answer["services"]
            if one["status"] != "INACTIVE"  # deleted, but not forgotten
        }
    if missing := sorted(set(wanted) - set(found)):
        sentence = (
            f"The cluster {cluster} has no service {', '.join(missing)}; run `terraform apply`."
        )
        raise RollFailedError(sentence)
    return found


def move(ecs: Any, cluster: str, service: str, definition: str) -> None:  # noqa: ANN401 - boto3
    """Let a service run another task definition; it returns at once.

    A forced deployment, so that a service that is being taken back begins anew all the same.
    """
    ecs.update_service(
        cluster=cluster, service=service, taskDefinition=definition, forceNewDeployment=True
    )


def await_rollout(
    ecs: Any,  # noqa: ANN401 - boto3
    cluster: str,
    service: str,
    definition: str,
    patience: Patience,
) -> None:
    """Wait until ECS says that a service runs a task definition and nothing else.

    Raises:
        RollFailedError: its circuit breaker has taken it back, or it takes too long.
    """
    for look in range(patience.looks()):
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        deployments = found.get("deployments", [])
        failure = _failure(deployments, definition)
        # The first answer may be older than the change.
        if failure and look:
            sentence = f"{service} did not come up with {_short(definition)}: {failure}"
            raise RollFailedError(sentence)
        if _is_settled(deployments, definition):
            return
        patience.sleep(patience.every_s)
    sentence = (
        f"{service} was not up with {_short(definition)} after {patience.at_most_s:.0f} s; look at "
        "the service's events and at its log group."
    )
    raise RollFailedError(sentence)


def _is_settled(deployments: list[Mapping[str, Any]], definition: str) -> bool:
    if len(deployments) != 1:  # old tasks still drain
        return False
    only = deployments[0]
    return only["taskDefinition"] == definition and only.get("rolloutState") == "COMPLETED"


def _failure(deployments: list[Mapping[str, Any]], definition: str) -> str | None:
    """Return why it will never come up; None: it may."""
    primary = next((one for one in deployments if one["status"] == "PRIMARY"), None)
    for one in deployments:
        if one["taskDefinition"] == definition and one.get("rolloutState") == "FAILED":
            return str(one.get("rolloutStateReason") or "its tasks do not stay up.")
    if primary is not None and primary["taskDefinition"] != definition:
        return f"it was taken back to {_short(primary['taskDefinition'])}."
    return None


def _short(definition: str) -> str:
    """Leave out region and account."""
    return definition.rpartition("/")[2]
