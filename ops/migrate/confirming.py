"""Asks a person whether what deletes or costs something is meant."""

import sys

import typer

from ops.migrate.errors import ConfirmationNeededError


def confirm(question: str, *, is_confirmed: bool) -> None:
    """Ask, unless the answer was given with the command.

    Raises:
        ConfirmationNeededError: the answer is no, or there is nobody to ask.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise ConfirmationNeededError(f"{question} Say so with --yes.")
    if not typer.confirm(question):
        raise ConfirmationNeededError("Nothing was deleted, and nothing was copied.")
