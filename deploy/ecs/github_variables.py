"""Print the `gh variable set` lines that the workflows want, from `terraform output -json`."""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from deploy.ecs.command import end, say
from deploy.ecs.errors import DescriptionError

# Name of the variable, and where its value stands among the outputs.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "AWS_REGION": ("region",),
    "AWS_ROLE_IMAGES": ("github_role_arns", "images"),
    "AWS_ROLE_PLAN": ("github_role_arns", "plan"),
    "AWS_ROLE_APPLY": ("github_role_arns", "apply"),
    "AWS_ROLE_DEPLOY": ("github_role_arns", "deploy"),
    "ECR_API": ("repository_urls", "api"),
    "ECR_WORKER": ("repository_urls", "worker"),
    "TF_STATE_BUCKET": ("state_bucket",),
    "TF_STATE_KEY": ("state_key",),
    "TERRAFORM_VARIABLES": ("workflow_variables",),
}
"""None is secret: a role lets in the runs of one repository, whoever knows its name."""


def lines(outputs: Mapping[str, Any]) -> list[str]:
    """Return the commands.

    Raises:
        DescriptionError: an output is not there.
    """
    made = []
    for name, path in VARIABLES.items():
        value: Any = {key: one.get("value") for key, one in outputs.items()}
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):
            value = json.dumps(value, sort_keys=True)
        if not isinstance(value, str):
            sentence = (
                f"Terraform has no output {'.'.join(path)}; set github_repository and "
                "state_bucket, and apply."
            )
            raise DescriptionError(sentence)
        made.append(f"gh variable set {name} --body {shlex.quote(value)}")
    return made


def main() -> None:
    """Read from the standard input.

    Raises:
        DescriptionError: that is something else.
    """
    try:
        outputs: Any = json.load(sys.stdin)
    except ValueError:
        sentence = "Give what `terraform output -json` says on the standard input."
        raise DescriptionError(sentence) from None
    for line in lines(outputs):
        say(line)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    end(main)
