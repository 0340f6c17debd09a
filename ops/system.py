"""`ragfleet up`: the whole system on this machine, in the foreground or behind the terminal."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from ops.client.session import complain, output
from ops.local.control import Status, start_detached, status, stop
from ops.local.credentials import load_credentials
from ops.local.neo4j_jars import jars_are_here, java_program, neo4j_jars
from ops.local.state import Layout, Phase, SupervisorState
from shared.errors import AppError
from shared.settings import Settings, load_settings


def up(
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready.")] = False,
    show_status: Annotated[bool, typer.Option("--status", help="Say what runs here.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Stop what runs here.")] = False,
) -> None:
    """Run API, workers, beat, Flower and, unless settings name servers, the servers too.

    Ctrl-C stops all of it; the data in DATA_DIR stays. Exit code 1: it did not start, or with
    --status: it does not run.
    """
    if sum((detach, show_status, down)) > 1:
        raise typer.BadParameter("--detach, --status and --down exclude each other.")
    try:
        settings = load_settings()
        data_dir = settings.storage.data_dir.resolve()
        if down:
            stop(data_dir)
        elif show_status:
            _show(status(data_dir))
        elif detach:
            fetch_neo4j(settings)
            command = [sys.executable, "-P", "-m", "ops.cli", "up"]  # -P: see ops/services.py
            _announce(start_detached(command, data_dir), data_dir)
        else:
            _run(settings, data_dir)
    except AppError as error:
        complain(str(error))
        raise typer.Exit(1) from None


def _run(settings: Settings, data_dir: Path) -> None:
    from ops.local.foreground import run_foreground  # noqa: PLC0415 - slow for other commands
    from ops.up import local_plan  # noqa: PLC0415 - slow for other commands

    fetch_neo4j(settings)
    plan = local_plan(
        settings,
        data_dir=data_dir,
        api_port=settings.api.port,
        flower_port=settings.flower.port,
    )
    output.print("Starting … (Ctrl-C stops everything)")
    raise typer.Exit(asyncio.run(run_foreground(plan, lambda state: _ready(state, data_dir))))


def fetch_neo4j(settings: Settings) -> None:
    """Get Neo4j's files before anything starts: that may take minutes, and every start is timed.

    Raises:
        Neo4jMissingError: this machine has no Java or no Maven.
    """
    if settings.starts_neo4j:
        java_program()
        if not jars_are_here():
            output.print("Fetching Neo4j Community (123 MB, only once) …")
            neo4j_jars()


def _ready(state: SupervisorState, data_dir: Path) -> None:
    urls = {one.name: one.url for one in state.services}
    # Without a terminal this goes to a log, such as that of --detach, and stays there.
    _print_addresses(urls, data_dir, password=output.is_terminal)


def _announce(current: Status, data_dir: Path) -> None:
    _print_addresses(
        {one.name: one.url for one in current.services}, data_dir, password=output.is_terminal
    )
    output.print("It runs in the background: `ragfleet up --status`, `ragfleet up --down`.")


def _print_addresses(urls: dict[str, str | None], data_dir: Path, *, password: bool) -> None:
    output.print(f"API     {urls['api']}  (try {urls['api']}/docs)")
    if urls.get("flower"):
        kept = Layout(data_dir).secrets
        credentials = load_credentials(kept)
        shown = credentials.flower_password if password else f"in {kept}"
        output.print(
            f"Flower  {urls['flower']}  user {credentials.flower_user}, password {shown}",
            soft_wrap=True,
        )
    output.print(f"Data    {data_dir}")


def _show(current: Status) -> None:
    for one in current.services:
        process = f"pid {one.pid}" if one.pid else "no process"
        restarts = f", restarted {one.restarts} times" if one.restarts else ""
        output.print(f"{one.name:<9}{one.phase:<11}{process}{restarts}  {one.url or ''}")
    if not current.running or current.phase is not Phase.READY:
        output.print(f"The system is {current.phase}.")
        raise typer.Exit(1)
