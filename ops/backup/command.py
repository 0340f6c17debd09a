"""The commands `ragfleet backup`, with `list`, `prune` and `due`, and `ragfleet restore`."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from ops.backup.catalogue import Backup, backups_among, find_backup
from ops.backup.errors import BackupPlaceError
from ops.backup.places import BackupPlace, parse_backup_place
from ops.backup.pruning import KeepPolicy, prune
from ops.client.session import complain, complaining, output, refuse_options
from ops.client.tables import print_table
from ops.migrate.options import ReplaceOption, YesOption
from shared.ids import parse_workspace_name
from shared.logs import configure_logs
from shared.settings import Settings, load_settings

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)
ToOption = Annotated[
    str,
    typer.Option("--to", help="A folder or `s3://bucket/prefix`; default: BACKUP_TO."),
]
_FAILED = 1
_SAID = {True: "yes", False: "no"}


@app.callback()
def backup(
    context: typer.Context,
    *,
    workspace: Annotated[
        list[str] | None,
        typer.Option("--workspace", "-w", help="Several may be named; default: all of them."),
    ] = None,
    to: ToOption = "",
) -> None:
    """Back workspaces up, each into one file that is read back before it counts.

    What a workspace holds is written as it is between two commits: uploads meanwhile are taken and
    wait, questions go on. A system that keeps everything in files allows only one process: stop it
    first.
    Exit code 1: a workspace could not be backed up, the sentence says why; the others were.
    Exit code 2: a setting or a place is wrong, or another process has the files.
    """
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    from ops.backup.running import back_up  # noqa: PLC0415 - slow for other commands

    with _prepared(to) as (settings, place):
        names = [parse_workspace_name(name) for name in workspace or []]
        _log_nothing(settings)
        outcome = asyncio.run(back_up(settings, place, names))
        rows = [
            {
                "backup": made.backup.name,
                "items": f"{made.items:,}",
                "bytes": f"{made.backup.size_bytes:,}",
                "seconds": f"{made.took_s:.1f}",
                "paused": f"{made.paused_s:.1f} s",
            }
            for made in outcome.made
        ]
        headings = ("BACKUP", "ITEMS", "BYTES", "SECONDS", "COMMITS PAUSED")
        print_table(headings, rows, cells=dict.values)
        for name, error in outcome.failed.items():
            complain(f"{name}: {error.code}: {error.detail}")
        if outcome.failed:
            raise typer.Exit(_FAILED)


@app.command("list")
def list_backups(to: ToOption = "") -> None:
    """List the backups of a place; those that were never read back do not count as such."""
    with _prepared(to) as (_, place):
        _print(backups_among(place.list()))


@app.command("prune")
def prune_backups(
    to: ToOption = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")
    ] = False,
) -> None:
    """Remove the backups that no rule of BACKUP_KEEP_LAST, _DAILY, _WEEKLY or _MONTHLY keeps."""
    from ops.backup.running import utc_now  # noqa: PLC0415 - slow for other commands

    with _prepared(to) as (settings, place):
        policy = KeepPolicy.of(settings.backup)
        removed = prune(place, policy, now=utc_now(), dry_run=dry_run)
        if removed:
            _print(removed)
        verb = "would be removed" if dry_run else "were removed"
        output.print(f"{len(removed)} backups {verb}.")


@app.command("due")
def back_up_what_is_due() -> None:
    """Back up what BACKUP_SCHEDULE asks for and nobody has made; then prune. For programs.

    The worker runs this when the beat says so; any other timer may, too. What is busy or away is
    tried again for an hour. Log lines say what happened.
    Exit code 1: a workspace could not be backed up.
    Exit code 2: a setting or a place is wrong.
    """
    from ops.backup.running import back_up_due  # noqa: PLC0415 - slow for other commands

    with _prepared("") as (settings, place):
        configure_logs(
            level=settings.log.level, form=settings.log.format, secrets=settings.secrets()
        )
        if asyncio.run(back_up_due(settings, place)).failed:
            raise typer.Exit(_FAILED)


def restore(
    name: Annotated[
        str, typer.Argument(help="A backup's name, or `latest`: the workspace's newest one.")
    ],
    workspace: Annotated[
        str,
        typer.Option("--workspace", "-w", help="Which is filled; default: the backup's own one."),
    ] = "",
    place: Annotated[
        str,
        typer.Option("--from", help="A folder or `s3://bucket/prefix`; default: BACKUP_TO."),
    ] = "",
    *,
    replace: ReplaceOption = False,
    yes: YesOption = False,
) -> None:
    """Fill a new or empty workspace from a backup, read everything back and list its documents.

    A restore that was broken off goes on when the command is given again.
    Exit code 1: something is wrong with the backup, the workspace or a server.
    Exit code 2: a setting or a place is wrong, or another process has the files.
    """
    from ops.backup.restoring import restore as fill  # noqa: PLC0415 - slow for other commands

    with _prepared(place) as (settings, opened):
        if name == "latest" and not workspace:
            raise BackupPlaceError("`latest` of which workspace? Name it with --workspace.")
        target = parse_workspace_name(workspace) if workspace else None
        found = find_backup(opened, name, target)
        _log_nothing(settings)
        fill(
            found,
            opened,
            target or found.workspace,
            settings,
            is_replacing=replace,
            is_confirmed=yes,
        )


@contextmanager
def _prepared(place: str) -> Iterator[tuple[Settings, BackupPlace]]:
    os.umask(0o077)  # whatever is written holds the documents' texts
    with complaining():
        settings = load_settings()
        if not (place or settings.backup.to):
            # In the DATA_DIR of what runs, which has one of its own for each kind of graph.
            from ops.settings_in_use import settings_in_use  # noqa: PLC0415 - slow

            settings = settings_in_use(settings)
        yield settings, parse_backup_place(place, settings)


def _log_nothing(settings: Settings) -> None:
    # What goes wrong is said in a sentence of ours; LightRAG's own lines say it first, twice.
    configure_logs(level="critical", form=settings.log.format)


def _print(backups: list[Backup]) -> None:
    rows = [
        {"backup": one.name, "bytes": f"{one.size_bytes:,}", "read back": _SAID[one.is_verified]}
        for one in backups
    ]
    print_table(("BACKUP", "BYTES", "READ BACK"), rows, cells=dict.values)
