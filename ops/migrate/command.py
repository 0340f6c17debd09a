"""The command `ragfleet migrate`."""

import os
from pathlib import Path

import typer

from ops.client.session import complaining
from ops.migrate.between import needs_processes, run_in_processes
from ops.migrate.disks import full_disks_told
from ops.migrate.errors import PlaceError
from ops.migrate.options import (
    ArchiveDirOption,
    DryRunOption,
    FromOption,
    ReEmbedOption,
    ReplaceOption,
    SourceWorkspaceOption,
    TargetWorkspaceOption,
    ToOption,
    VerifyOnlyOption,
    YesOption,
)
from ops.migrate.places import parse_place
from ops.migrate.request import Request
from shared.ids import DEFAULT_WORKSPACE, parse_workspace_name
from shared.logs import configure_logs
from shared.settings import load_settings


def migrate(  # noqa: PLR0913 - a command's options
    source: FromOption,
    target: ToOption,
    source_workspace: SourceWorkspaceOption = "",
    workspace: TargetWorkspaceOption = "",
    *,
    dry_run: DryRunOption = False,
    verify_only: VerifyOnlyOption = False,
    archive_dir: ArchiveDirOption = None,
    replace: ReplaceOption = False,
    re_embed: ReEmbedOption = False,
    yes: YesOption = False,
) -> None:
    """Copy a LightRAG workspace, vectors and all, and read everything back to prove it.

    The source is only read. A copy that was broken off goes on when the command is given again.
    Exit code 1: something is wrong with the source, the target or a server; the sentence says what.
    Exit code 2: a setting or a place is wrong.
    """
    with complaining():
        if dry_run and verify_only:
            raise PlaceError(
                "--dry-run writes and compares nothing; leave it or --verify-only out."
            )
        request = Request(
            source=parse_place(source),
            source_workspace=source_workspace,
            target=parse_place(target),
            workspace=parse_workspace_name(workspace or DEFAULT_WORKSPACE),
            folder_workspace=workspace,
            dry_run=dry_run,
            verify_only=verify_only,
            is_replacing=replace,
            is_re_embedding=re_embed,
            is_confirmed=yes,
        )
        carry_out(request, archive_dir=archive_dir)


def carry_out(request: Request, *, archive_dir: Path | None = None) -> None:
    """Do what was asked for, in this process or in others with settings of their own.

    Raises:
        AppError: it cannot be done.
        typer.Exit: a child process has said why it ended like that.
    """
    os.umask(0o077)  # whatever is written holds the documents' texts
    if needs_processes(request):
        if code := run_in_processes(request, archive_dir=archive_dir):
            raise typer.Exit(code)
        return
    from ops.migrate.running import run  # noqa: PLC0415 - slow for other commands

    settings = load_settings()
    # What goes wrong is said in a sentence of ours; LightRAG's own lines say it first, twice.
    configure_logs(level="critical", form=settings.log.format)
    with full_disks_told():
        run(request, settings)
