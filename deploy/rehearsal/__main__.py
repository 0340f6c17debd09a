"""`python -m deploy.rehearsal`: rehearses the compose file and writes the transcript."""

import argparse
import sys
from pathlib import Path

from deploy.rehearsal.commands import NotPossibleError, RehearsalError
from deploy.rehearsal.rehearsal import rehearse

NOT_POSSIBLE = 3
"""The exit code that says: this machine cannot, and nothing was tried."""
_DEFAULT = Path(__file__).parents[2] / "docs" / "operations" / "rehearsal.json"


def main() -> None:
    """Read the arguments, rehearse; the transcript's path is the last line printed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.rehearsal", description=__doc__)
    parser.add_argument("--out", type=Path, default=_DEFAULT, help="the JSON; the page lies beside")
    parser.add_argument(
        "--stand-ins", action="store_true", help="an engine and images of our own, whatever is here"
    )
    arguments = parser.parse_args()
    try:
        rehearse(arguments.out, stand_ins=arguments.stand_ins)
    except NotPossibleError as error:
        print(f"cannot rehearse here: {error}", file=sys.stderr)
        sys.exit(NOT_POSSIBLE)
    except RehearsalError as error:
        sys.exit(f"the rehearsal failed: {error}")
    print(arguments.out)


if __name__ == "__main__":
    main()
