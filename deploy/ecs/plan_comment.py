"""Turn what `terraform show` says of a plan into a comment on a pull request."""

import argparse
import re
from pathlib import Path

# GitHub takes 65,536 characters.
_MOST = 60_000
_RESULT = re.compile(r"^(Plan: .*|No changes\..*|Changes to Outputs:.*)$", re.MULTILINE)


def comment_of(plan: str, revision: str) -> str:
    """Return the comment: the result in a line, all the rest folded.

    Args:
        plan: `terraform show -no-color`, which leaves secret values out.
        revision: the commit that it is a plan of.
    """
    found = _RESULT.search(plan)
    result = found[1] if found else "Terraform said no result; read the plan."
    shown = plan.strip()
    if len(shown) > _MOST:
        shown = (
            f"{shown[:_MOST]}\n… {len(shown) - _MOST:,} more characters: see the workflow's log."
        )
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 3)
    return (
        f"### Terraform, {revision[:12]}\n\n**{result}**\n\n"
        f"<details><summary>The plan</summary>\n\n{fence}\n{shown}\n{fence}\n\n</details>\n"
    )


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("plan", type=Path)
    given.add_argument("comment", type=Path)
    given.add_argument("--revision", required=True)
    read = given.parse_args()
    read.comment.write_text(
        comment_of(read.plan.read_text(encoding="utf-8"), read.revision), encoding="utf-8"
    )
