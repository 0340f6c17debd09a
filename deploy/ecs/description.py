"""What Terraform says of an installation: its output `deployment`, in a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.ecs.errors import DescriptionError

ROLL_ORDER = ("worker-commit", "worker-extract", "worker-prepare", "beat", "flower", "api")
"""Who understands new messages comes before who sends them; a way back goes the other way round."""


@dataclass(frozen=True)
class InitTask:
    """What `ecs:RunTask` wants for the one-off task."""

    task_definition: str
    container: str
    network: dict[str, Any]


@dataclass(frozen=True)
class Tier:
    """One service, and the task definition that the last `terraform apply` made for it."""

    name: str
    service: str
    task_definition: str


@dataclass(frozen=True)
class Description:
    """One installation."""

    region: str
    cluster: str
    api_url: str | None
    """None: Terraform was not told by what name clients find the API."""
    init: InitTask
    tiers: tuple[Tier, ...]
    """In the order in which they are rolled over."""


def read_description(path: Path) -> Description:
    """Read it.

    Args:
        path: of `terraform output -json deployment`.

    Raises:
        DescriptionError: there is no such file, or something is missing in it.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        init, services = found["init"], found["services"]
        return Description(
            region=found["region"],
            cluster=found["cluster"],
            api_url=found["api_url"],
            init=InitTask(
                task_definition=init["task_definition"],
                container=init["container"],
                network=init["network_configuration"],
            ),
            tiers=tuple(
                Tier(name, services[name]["service"], services[name]["task_definition"])
                for name in _in_order(services)
            ),
        )
    except OSError as error:
        sentence = (
            f"{path} cannot be read: {error.strerror}; make it with `terraform "
            "-chdir=deploy/terraform output -json deployment`."
        )
        raise DescriptionError(sentence) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sentence = (
            f"{path} is not what Terraform's output `deployment` says ({type(error).__name__}: "
            f"{error}); make it with `terraform output -json deployment`."
        )
        raise DescriptionError(sentence) from None


def _in_order(services: dict[str, Any]) -> list[str]:
    if not services:
        sentence = "The output `deployment` names no services."
        raise DescriptionError(sentence)
    unknown = sorted(set(services) - set(ROLL_ORDER))
    if unknown:
        sentence = f"The output `deployment` names services of no known tier: {', '.join(unknown)}."
        raise DescriptionError(sentence)
    return [name for name in ROLL_ORDER if name in services]
