"""Move the services to the task definitions of the last apply, one tier after the other."""

import argparse
import json
from pathlib import Path
from typing import Any

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.description import Description
from deploy.ecs.services import Patience, await_rollout, move, running


def roll(ecs: Any, found: Description, before: Path, patience: Patience) -> list[str]:  # noqa: ANN401 - boto3
    """Move them, each after the one before is up.

    Args:
        ecs: boto3's client.
        found: the installation.
        before: where to write, first of all, what runs now: the way back.
        patience: with each service.

    Returns:
        The tiers that were moved; those that have it already are only waited for.

    Raises:
        RollFailedError: one did not come up; those after it were not touched.
    """
    now = running(ecs, found.cluster, [tier.service for tier in found.tiers])
    write_before(before, now)
    moved: list[str] = []
    for tier in found.tiers:
        if now[tier.service] == tier.task_definition:
            say(f"{tier.name}: {_short(tier.task_definition)} already.")
        else:
            say(f"{tier.name}: {_short(now[tier.service])} -> {_short(tier.task_definition)}")
            move(ecs, found.cluster, tier.service, tier.task_definition)
            moved.append(tier.name)
        # Also where an earlier attempt asked for it: perhaps it never came up.
        await_rollout(ecs, found.cluster, tier.service, tier.task_definition, patience)
    return moved


def write_before(path: Path, now: dict[str, str]) -> None:
    """Keep what ran before; a second attempt must not take the first one's for it."""
    if not path.exists():
        path.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _short(definition: str) -> str:
    return definition.rpartition("/")[2]


def main(arguments: argparse.Namespace) -> None:
    """Roll over the installation that the arguments name."""
    found = described(arguments)
    patience = Patience(at_most_s=arguments.at_most_s)
    moved = roll(client("ecs", found.region), found, arguments.before, patience)
    say(f"{len(moved)} of {len(found.tiers)} services were moved; all are up.")


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument(
        "--before",
        type=Path,
        default=Path("before.json"),
        help="where to write what runs now (default: %(default)s)",
    )
    given.add_argument(
        "--at-most-s",
        type=float,
        default=Patience.at_most_s,
        help="how long each service may take (default: %(default)s)",
    )
    read = given.parse_args()
    end(lambda: main(read))
