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
    security: Annotated[
        bool, typer.Option("--security", help="Look for open doors and weak secrets instead.")
    ] = False,
    aws_cluster: Annotated[
        str | None,
        typer.Option("--aws-cluster", help="With --security: the ECS cluster to look at."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at servers, versions and stores: do they belong together, and is everything there?

    It only reads, beside a running system as well, unless --repair is given. With --security:
    passwords, keys, ports, TLS, accounts and, on AWS, who can reach what.
    Exit code 1: something is wrong (warnings are not). Exit code 2: a setting is wrong.
    """
    from ops.doctor.report import Reporter, exit_code  # noqa: PLC0415 - slow for other commands
    from ops.doctor.running import examine  # noqa: PLC0415 - slow for other commands
    from ops.doctor.security.examining import examine_security  # noqa: PLC0415 - same
    from ops.doctor.showing import show, show_json  # noqa: PLC0415 - slow for other commands

    tell = show_json if as_json else show
    if security and (repair or workspace is not None):
        raise typer.BadParameter("--security goes with neither --repair nor --workspace.")
    if aws_cluster is not None and not security:
        raise typer.BadParameter("--aws-cluster belongs to --security.")
    with complaining():
        name = None if workspace is None else parse_workspace_name(workspace)
        try:
            settings = load_settings()
            # What goes wrong is said in a sentence of ours; LightRAG's lines say it first, twice.
            configure_logs(level="critical", form=settings.log.format)
            work = (
                examine_security(settings, cluster=aws_cluster)
                if security
                else examine(settings, name, may_repair=repair)
            )
            found, repairs = asyncio.run(work)
        except SettingsError as error:
            tell([Reporter("doctor.settings").error(error.detail)], [])
            raise typer.Exit(ExitCode.USAGE) from None
    tell(found, repairs)
    if code := exit_code(found):
        raise typer.Exit(code)
