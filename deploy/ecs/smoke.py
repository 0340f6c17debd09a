"""Ask the new version something real: `scripts/health_check.sh` with the installation's own key."""

import argparse
import os
import subprocess
from pathlib import Path

from deploy.ecs.command import client, described, end, parser
from deploy.ecs.errors import DeployError

_CHECK = Path(__file__).parents[2] / "scripts/health_check.sh"
# A document goes through all stages and is asked for, while the last tasks still warm up.
_AT_MOST_S = 600


class SmokeFailedError(DeployError):
    """The new version runs, but does not do its work."""

    code = "smoke_failed"


def smoke(check: Path, url: str, key: str, at_most_s: float = _AT_MOST_S) -> None:
    """Run it; what it says goes where our own output goes.

    Args:
        check: the script.
        url: of the API.
        key: of the API; handed over by the environment, where other users cannot read it.
        at_most_s: after that it is ended.

    Raises:
        SmokeFailedError: it says so, or takes too long.
    """
    told = {**os.environ, "API_URL": url, "API_KEY": key}  # noqa: TID251 - no settings of ours here
    try:
        done = subprocess.run([check], env=told, check=False, timeout=at_most_s)  # noqa: S603 - a file of ours
    except subprocess.TimeoutExpired:
        raise SmokeFailedError(f"{check.name} had no result after {at_most_s:.0f} s.") from None
    if done.returncode:
        raise SmokeFailedError(f"{check.name} ended with {done.returncode}; read what it says.")


def main(arguments: argparse.Namespace) -> None:
    """Ask the installation that the arguments name."""
    found = described(arguments)
    secrets = client("secretsmanager", found.region)
    key = secrets.get_secret_value(SecretId=arguments.key_secret)["SecretString"]
    smoke(_CHECK, found.api_url, key)


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("--key-secret", required=True, help="ARN of the secret that is API_KEY")
    read = given.parse_args()
    end(lambda: main(read))
