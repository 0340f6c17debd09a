"""What the commands have in common: the file of an installation, AWS, and how they end."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.ecs.description import Description, read_description
from deploy.ecs.errors import AwsRefusedError, DeployError

FAILED = 1
USAGE = 2
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 6})


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Make the parser of a command that is about one installation."""
    made = argparse.ArgumentParser(description=doc)
    made.add_argument(
        "--deployment",
        type=Path,
        default=Path("deployment.json"),
        help="what `terraform output -json deployment` said (default: %(default)s)",
    )
    return made


def described(arguments: argparse.Namespace) -> Description:
    """Read the installation that the arguments name.

    Raises:
        DescriptionError: the file is not there or not whole.
    """
    return read_description(arguments.deployment)


def client(service: str, region: str) -> Any:  # noqa: ANN401 - boto3 makes its classes as it goes
    """Open one of AWS's services; credentials are found as AWS's own tools find them."""
    return boto3.client(service, region_name=region, config=_RETRIES)  # type: ignore[call-overload] # a name of 400


def say(sentence: str) -> None:
    """Tell a person, at once."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """Tell what went wrong, apart from the output."""
    sys.stderr.write(f"{sentence}\n")


def end(work: Callable[[], int | None]) -> None:
    """Run a command and end the process with its exit code, and a sentence where it failed."""
    try:
        code = _translated(work)
    except DeployError as error:
        complain(f"{error.code}: {error}")
        code = FAILED
    sys.exit(code or 0)


def _translated(work: Callable[[], int | None]) -> int | None:
    try:
        return work()
    except ClientError as error:
        problem = error.response.get("Error", {})
        sentence = (
            f"AWS refused {error.operation_name}: {problem.get('Code', 'unknown')}: "
            f"{problem.get('Message', '')}"
        )
        raise AwsRefusedError(sentence) from None
    except BotoCoreError as error:
        raise AwsRefusedError(str(error)) from None
