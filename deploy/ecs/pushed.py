"""Say which image a tag means, as an output of a workflow's step: `digest=sha256:…`, or nothing."""

import argparse

from deploy.ecs.command import client, end, say
from deploy.ecs.images import digest_of, parsed


def main(arguments: argparse.Namespace) -> None:
    """Look once."""
    region, name = parsed(arguments.repository)
    say(f"digest={digest_of(client('ecr', region), name, arguments.tag) or ''}")


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--repository", required=True)
    given.add_argument("--tag", required=True)
    read = given.parse_args()
    end(lambda: main(read))
