"""The command `ragfleet doctor`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ops.client.failures import ExitCode
from ops.client.session import JsonOption, complaining
from shared.errors import SettingsError
from shared.ids import parse_workspace_name
from shared.logs import configure_logs
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from ops.doctor.report import Finding

Examined: TypeAlias = "Coroutine[Any, Any, tuple[list[Finding], list[str]]]"


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
    if security and (repair or workspace is not None):
        raise typer.BadParameter("--security goes with neither --repair nor --workspace.")
    if aws_cluster is not None and not security:
        raise typer.BadParameter("--aws-cluster belongs to --security.")
    with complaining():
        name = None if workspace is None else parse_workspace_name(workspace)

        def work(settings: Settings) -> Examined:
            from ops.doctor.running import examine  # noqa: PLC0415 - slow for other commands
            from ops.doctor.security.examining import examine_security  # noqa: PLC0415 - same

            if security:
                return examine_security(settings, cluster=aws_cluster)
            return examine(settings, name, may_repair=repair)

        code = _carry_out(work, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _carry_out(work: Callable[[Settings], Examined], *, as_json: bool) -> ExitCode:
    """Examine, tell what was found, and return what the command ends with.

    Raises:
        typer.Exit: a setting is wrong.
    """
    from ops.doctor.report import Reporter, exit_code  # noqa: PLC0415 - slow for other commands
    from ops.doctor.showing import show, show_json  # noqa: PLC0415 - same

    tell = show_json if as_json else show
    try:
        settings = load_settings()
        # What goes wrong is said in a sentence of ours; LightRAG's lines say it first, twice.
        configure_logs(level="critical", form=settings.log.format)
        found, repairs = asyncio.run(work(settings))
    except SettingsError as error:
        tell([Reporter("doctor.settings").error(error.detail)], [])
        raise typer.Exit(ExitCode.USAGE) from None
    tell(found, repairs)
    return exit_code(found)
