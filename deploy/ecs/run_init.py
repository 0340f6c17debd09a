"""Run the one-off task `init`, which makes and changes tables, and end with its exit code."""

import argparse

from deploy.ecs.command import client, described, end, parser, say
from deploy.ecs.errors import InitFailedError
from deploy.ecs.one_off import EVERY_S, run_once
from deploy.ecs.services import Patience

# Indexes over the vectors of a large installation take a while.
_AT_MOST_S = 1800.0


def main(arguments: argparse.Namespace) -> None:
    """Run it for the installation that the arguments name."""
    found = described(arguments)
    patience = Patience(every_s=EVERY_S, at_most_s=arguments.at_most_s)
    code = run_once(client("ecs", found.region), found, patience)
    if code:
        sentence = (
            f"The task init ended with exit code {code}; no service was touched. Its log group "
            "says why."
        )
        raise InitFailedError(sentence)
    say("The task init ended with exit code 0.")


if __name__ == "__main__":
    given = parser(__doc__)
    given.add_argument("--at-most-s", type=float, default=_AT_MOST_S, help="default: %(default)s")
    read = given.parse_args()
    end(lambda: main(read))
