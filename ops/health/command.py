"""`ragfleet health`: whether every tier is at work; scripts/health_check.sh runs it in compose."""

import asyncio
from typing import Annotated

import typer

from ops.client.addresses import api_url
from ops.client.session import JsonOption, UrlOption, complaining
from shared.logs import configure_logs
from shared.settings import load_settings


def health(
    *,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Also let a small document through, ask for it, remove it."),
    ] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Ask the API, its stores, the consumers of each queue, beat and the broker's memory.

    Exit code 0: all are at work. 1: something is not; its line says what. 2: a setting is wrong.
    """
    from ops.doctor.report import exit_code  # noqa: PLC0415 - slow for other commands
    from ops.doctor.showing import show, show_json  # noqa: PLC0415 - same
    from ops.health.running import examine  # noqa: PLC0415 - same
    from ops.settings_in_use import settings_in_use  # noqa: PLC0415 - same

    with complaining():
        settings = load_settings()
        # What is wrong stands in the findings.
        configure_logs(level="critical", form=settings.log.format)
        address = api_url(settings, named=url)
        found = asyncio.run(examine(settings_in_use(settings), address, probe=probe))
    (show_json if as_json else show)(found, [])
    raise typer.Exit(exit_code(found))
