"""Say in one word what a plan changes, and refuse to apply another one than was approved."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from deploy.ecs.command import end, say
from deploy.ecs.errors import DescriptionError, PlanChangedError

_NOTHING = (["no-op"], ["read"])
# What a change is: where, what is done, from what to what, and why anew.
_PARTS = ("actions", "before", "after", "after_unknown", "replace_paths")


def digest_of(plan: dict[str, Any]) -> str:
    """Return a digest of all changes of a plan, whatever their order.

    Args:
        plan: `terraform show -json`. Passwords are in none: their arguments are write-only.
    """
    changes = [
        {"address": one["address"]} | {part: one["change"].get(part) for part in _PARTS}
        for one in plan.get("resource_changes", [])
        if one["mode"] == "managed" and one["change"]["actions"] not in _NOTHING
    ]
    changes.sort(key=lambda change: str(change["address"]))
    return hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()


def require_approved(plan: dict[str, Any], approved: str) -> None:
    """Compare a plan with the one that people saw.

    Raises:
        PlanChangedError: it does something else.
    """
    if digest_of(plan) != approved:
        sentence = (
            "The plan is not the one that was approved: the state or the variables of the "
            "repository changed meanwhile. Nothing was applied; start the workflow again."
        )
        raise PlanChangedError(sentence)


def read_plan(path: Path) -> dict[str, Any]:
    """Read it.

    Raises:
        DescriptionError: it is no plan.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DescriptionError(f"{path} cannot be read ({type(error).__name__}).") from None
    if not isinstance(found, dict) or "format_version" not in found:
        raise DescriptionError(f"{path} is not what `terraform show -json` says of a plan.")
    return found


def main(arguments: argparse.Namespace) -> None:
    """Print the digest as an output of a workflow's step, or compare it."""
    plan = read_plan(arguments.plan)
    if arguments.approved is None:
        say(f"digest={digest_of(plan)}")
    else:
        require_approved(plan, arguments.approved)
        say("It is the plan that was approved.")


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("plan", type=Path, help="what `terraform show -json` said")
    given.add_argument("--approved", help="the digest of the plan that people saw")
    read = given.parse_args()
    end(lambda: main(read))
