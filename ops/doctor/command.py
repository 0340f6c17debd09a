"""The command `ragfleet doctor`."""

import asyncio
from typing import Annotated

import typer

from ops.client.failures import ExitCode
from ops.client.session import JsonOption, complaining
from shared.errors import SettingsError
from shared.ids import parse_workspace_name
from shared.logs import configure_logs
from shared.settings import load_settings


def doctor(
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", "-w", help="Look into this one alone; default: all."),
    ] = None,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended safely, then look again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at servers, versions and stores: do they belong together, and is everything there?

    It only reads, beside a running system as well, unless --repair is given.
    Exit code 1: something is wrong (warnings are not). Exit code 2: a setting is wrong.
    """
    from ops.doctor.report import Reporter, exit_code  # noqa: PLC0415 - slow for other commands
    from ops.doctor.running import examine  # noqa: PLC0415 - slow for other commands
    from ops.doctor.showing import show, show_json  # noqa: PLC0415 - slow for other commands

    tell = show_json if as_json else show
    with complaining():
        name = None if workspace is None else parse_workspace_name(workspace)
        try:
            settings = load_settings()
            # What goes wrong is said in a sentence of ours; LightRAG's lines say it first, twice.
            configure_logs(level="critical", form=settings.log.format)
            found, repairs = asyncio.run(examine(settings, name, may_repair=repair))
        except SettingsError as error:
            tell([Reporter("doctor.settings").error(error.detail)], [])
            raise typer.Exit(ExitCode.USAGE) from None
    tell(found, repairs)
    if code := exit_code(found):
        raise typer.Exit(code)
