"""Bring a workspace back from stores on AWS into those of this installation: `ragfleet migrate`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))

from ops.client.session import complaining
from ops.migrate.command import carry_out
from ops.migrate.errors import PlaceError
from ops.migrate.options import (
    ExecuteOption,
    ReplaceOption,
    SourceWorkspaceOption,
    TargetWorkspaceOption,
    YesOption,
)
from ops.migrate.places import OWN_SETTINGS, Place, PlaceKind
from ops.migrate.request import Request
from shared.ids import DEFAULT_WORKSPACE, parse_workspace_name


def main(  # noqa: PLR0913 - a command's options
    source_env: Annotated[
        Path | None,
        typer.Option("--source-env", help="The settings of the installation on AWS, as in a .env."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            help="Name or ARN in AWS Secrets Manager of more of them, a JSON object; or "
            "VARIABLE=NAME where it is the value of one. May be given several times.",
        ),
    ] = None,
    target_env: Annotated[
        Path | None,
        typer.Option("--target-env", help="The settings to restore to; default: of this one."),
    ] = None,
    archive_dir: Annotated[
        Path | None, typer.Option("--archive-dir", help="As of `ragfleet migrate`.")
    ] = None,
    source_workspace: SourceWorkspaceOption = "",
    workspace: TargetWorkspaceOption = DEFAULT_WORKSPACE,
    *,
    execute: ExecuteOption = False,
    replace: ReplaceOption = False,
    yes: YesOption = False,
) -> None:
    """Look at what is there (`--dry-run`), or copy it (`--execute`) and read everything back."""
    with complaining():
        source = Place(PlaceKind.SETTINGS, source_env or OWN_SETTINGS, tuple(secret or ()))
        if not source.has_own_settings:
            raise PlaceError("Say where to restore from: --source-env FILE, --secret NAME or both.")
        request = Request(
            source=source,
            source_workspace=source_workspace,
            target=Place(PlaceKind.SETTINGS, target_env or OWN_SETTINGS),
            workspace=parse_workspace_name(workspace),
            dry_run=not execute,
            verify_only=False,
            is_replacing=replace,
            is_confirmed=yes,
        )
        carry_out(request, archive_dir=archive_dir)


if __name__ == "__main__":
    typer.run(main)
