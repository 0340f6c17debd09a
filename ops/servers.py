"""Commands for whoever runs the servers: `ragfleet init` and `ragfleet repair duplicates`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from ops.client.session import complaining, output
from shared.ids import DEFAULT_WORKSPACE, parse_workspace_name
from shared.logs import configure_logs
from shared.settings import Settings, load_settings

repair = typer.Typer(help="Mend what others did to the stores.", no_args_is_help=True)


def init() -> None:
    """Create the tables and indexes that are missing, in the ledger and in LightRAG's stores.

    A task to run once before a deployment starts; again, or on two hosts at once, does no harm.
    Exit code 1: a server is away or a graph must be repaired first; the sentence says which.
    Exit code 2: a setting is wrong.
    """
    from ops.initialising import initialise  # noqa: PLC0415 - slow for other commands

    _run(lambda settings: initialise(settings, say=output.print))


@repair.command()
def duplicates(
    workspace: Annotated[
        str, typer.Option("--workspace", "-w", help="The workspace to repair.")
    ] = DEFAULT_WORKSPACE,
) -> None:
    """Merge entities and relations that Neo4j holds more than once, and prevent new ones.

    It takes the workspace's commit lease: nothing is committed meanwhile, questions go on.
    Exit code 1: something else is writing into the workspace, or a server is away.
    """
    from ops.repairing import repair_duplicates  # noqa: PLC0415 - slow for other commands

    async def work(settings: Settings) -> None:
        name = parse_workspace_name(workspace)
        await repair_duplicates(settings, name, say=output.print)

    _run(work)


def _run(work: Callable[[Settings], Coroutine[Any, Any, object]]) -> None:
    with complaining():
        settings = load_settings()
        # What goes wrong is said in a sentence of ours; LightRAG's own lines say it first, twice.
        configure_logs(level="critical", form=settings.log.format)
        asyncio.run(work(settings))
