"""Put the services back to the task definitions that ran before the last `deploy.ecs.roll`."""

import argparse
import json
from pathlib import Path
from typing import Any

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.description import Description
from deploy.ecs.errors import DescriptionError, RollFailedError
from deploy.ecs.services import Patience, await_rollout, move, running


def roll_back(ecs: Any, found: Description, before: Path, patience: Patience) -> list[str]:  # noqa: ANN401 - boto3
    """Put them back, last moved first; one that does not come up does not keep the others.

    Args:
        ecs: boto3's client.
        found: the installation.
        before: what `roll` wrote.
        patience: with each service.

    Returns:
        The tiers that were put back.

    Raises:
        DescriptionError: `before` is not there or names no task definitions.
        RollFailedError: some are not up; the sentence names all of them.
    """
    wanted = _read(before)
    now = running(ecs, found.cluster, [tier.service for tier in found.tiers])
    # One that the circuit breaker is taking back names the old one already, and is waited for.
    back = [tier for tier in reversed(found.tiers) if tier.service in wanted]
    for tier in back:
        if now[tier.service] != wanted[tier.service]:
            say(f"{tier.name}: back to {wanted[tier.service].rpartition('/')[2]}")
            move(ecs, found.cluster, tier.service, wanted[tier.service])
    failures: list[str] = []
    for tier in back:
        try:
            await_rollout(ecs, found.cluster, tier.service, wanted[tier.service], patience)
        except RollFailedError as error:
            failures.append(str(error))
    if failures:
        raise RollFailedError(" ".join(failures))
    return [tier.name for tier in back if now[tier.service] != wanted[tier.service]]


def _read(path: Path) -> dict[str, str]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        sentence = f"{path}, what ran before, cannot be read: {error.strerror}."
        raise DescriptionError(sentence) from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise DescriptionError(f"{path} is not what `deploy.ecs.roll` wrote.")
    return found


def main(arguments: argparse.Namespace) -> None:
    """Put the installation that the arguments name back."""
    found = described(arguments)
    back = roll_back(client("ecs", found.region), found, arguments.before, Patience())
    say(f"{len(back)} services were put back; all run what ran before.")


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("--before", type=Path, default=Path("before.json"), help="what `roll` wrote")
    read = given.parse_args()
    end(lambda: main(read))
