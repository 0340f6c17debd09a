"""Ask the new version something real: `ragfleet health --probe`, inside the installation's network.

It is what scripts/health_check.sh runs: it asks the API, its stores, the consumers of each queue
and beat, and lets a document through. From outside only the API could be reached; and so the key of
the API, which the task `init` has, stays in the installation.
"""

import argparse

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.errors import DescriptionError, SmokeFailedError
from deploy.ecs.one_off import EVERY_S, run_once
from deploy.ecs.services import Patience

# A document goes through all stages and is asked for, while the last tasks still warm up.
_AT_MOST_S = 900.0


def main(arguments: argparse.Namespace) -> None:
    """Ask the installation that the arguments name."""
    found = described(arguments)
    if found.api_url is None:
        sentence = "The name of the API is not known; set Terraform's variable `domain` and apply."
        raise DescriptionError(sentence)
    patience = Patience(every_s=EVERY_S, at_most_s=arguments.at_most_s)
    command = ("ragfleet", "health", "--probe", "--url", found.api_url)
    code = run_once(client("ecs", found.region), found, patience, command)
    if code:
        sentence = f"`ragfleet health --probe` ended with {code}; the log group of init says why."
        raise SmokeFailedError(sentence)
    say("All tiers are at work, and a document went through.")


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("--at-most-s", type=float, default=_AT_MOST_S, help="default: %(default)s")
    read = given.parse_args()
    end(lambda: main(read))
