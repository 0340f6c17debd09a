"""The command `ragfleet migrate`."""

import os
from typing import Annotated

import typer

from ops.client.session import complaining
from ops.migrate.disks import full_disks_told
from ops.migrate.places import parse_place
from shared.ids import DEFAULT_WORKSPACE, parse_workspace_name
from shared.logs import configure_logs
from shared.settings import load_settings

SourceWorkspaceOption = Annotated[
    str,
    typer.Option(
        "--source-workspace",
        help="Which one of a folder (left out: the one without a name) or of `settings`.",
    ),
]
TargetWorkspaceOption = Annotated[
    str, typer.Option("--workspace", "-w", help="What it is called in the target.")
]


def migrate(  # noqa: PLR0913 - one for each word of the command
    source: Annotated[
        str,
        typer.Option("--from", help="`folder:DIR` (LightRAG's), `archive:FILE` or `settings`."),
    ],
    target: Annotated[
        str,
        typer.Option("--to", help="`settings` (this installation's stores) or `archive:FILE`."),
    ],
    source_workspace: SourceWorkspaceOption = "",
    workspace: TargetWorkspaceOption = DEFAULT_WORKSPACE,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be copied; write nothing.")
    ] = False,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Compare the target with the source.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Delete first what the target workspace holds."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether that is meant.")
    ] = False,
) -> None:
    """Copy a LightRAG workspace, vectors and all, and read everything back to prove it.

    The source is only read. A copy that was broken off goes on when the command is given again.
    Exit code 1: something is wrong with the source, the target or a server; the sentence says what.
    Exit code 2: a setting or a place is wrong.
    """
    from ops.migrate.running import Request, run  # noqa: PLC0415 - slow for other commands

    os.umask(0o077)  # whatever is written holds the documents' texts
    with complaining():
        request = Request(
            source=parse_place(source),
            source_workspace=source_workspace,
            target=parse_place(target),
            workspace=parse_workspace_name(workspace),
            dry_run=dry_run,
            verify_only=verify_only,
            is_replacing=replace,
            is_confirmed=yes,
        )
        settings = load_settings()
        # What goes wrong is said in a sentence of ours; LightRAG's own lines say it first, twice.
        configure_logs(level="critical", form=settings.log.format)
        with full_disks_told():
            run(request, settings)
