"""`python -m deploy.terraform.costs PROFILE.tfvars`; with `--page` the page of all profiles."""

import argparse
import sys
from pathlib import Path

from deploy.terraform.costs.page import PAGE, page, table
from deploy.terraform.costs.profile import Profile
from deploy.terraform.costs.values import NotLiteralError


def main() -> None:
    """Print one profile's table, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m deploy.terraform.costs", description=__doc__)
    parser.add_argument("profile", nargs="?", type=Path)
    parser.add_argument("--load", default="small", choices=["small", "production"])
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.name}")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
    elif arguments.profile is None:
        parser.error("name a file of variables, such as deploy/terraform/profiles/small.tfvars")
    else:
        sys.stdout.write(_table_of(arguments.profile, arguments.load))


def _table_of(path: Path, load: str) -> str:
    try:
        return table(Profile.read(path), load)
    except OSError as error:
        sys.exit(f"{path} cannot be read: {error.strerror}.")
    except NotLiteralError as error:
        sys.exit(f"{path} is no file of plain values: {error}")
    except KeyError as error:
        sys.exit(f"{path} says nothing of {error}, or names what prices.toml has no price for.")


if __name__ == "__main__":
    main()
