"""`ragfleet workspaces`: the list, creation and removal, and the pause of ingestion."""

import asyncio
from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.session import (
    JsonOption,
    LimitOption,
    UrlOption,
    output,
    print_json,
    refuse_options,
    run,
)
from ops.client.tables import print_table

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)
NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
_POLL_S = 0.5


@app.callback()
def workspaces(
    context: typer.Context,
    *,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """List workspaces; or: create, delete, pause, resume one."""
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return

    async def work(client: ApiClient) -> None:
        found = await client.workspaces(limit=limit)
        if as_json:
            print_json(found)
        else:
            print_table(("WORKSPACE", "DOCUMENTS", "INGESTION"), found, cells=_cells)

    run(work, url=url)


@app.command()
def create(name: NameArgument, *, as_json: JsonOption = False, url: UrlOption = None) -> None:
    """Make an empty workspace."""

    async def work(client: ApiClient) -> None:
        workspace = await client.create_workspace(name)
        if as_json:
            print_json(workspace)
        else:
            output.print(f"Workspace {name} is there.", markup=False, highlight=False)

    run(work, url=url)


@app.command()
def delete(
    name: NameArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Remove a workspace with all its documents."""
    if not yes:
        typer.confirm(f"Remove workspace {name} and every document in it?", abort=True)

    async def work(client: ApiClient) -> None:
        receipt = await client.delete_workspace(name)
        if as_json:
            print_json(receipt)
        else:
            output.print(f"Task {receipt['task_id']} removes it.", markup=False, highlight=False)

    run(work, url=url)


@app.command()
def pause(name: NameArgument, *, as_json: JsonOption = False, url: UrlOption = None) -> None:
    """Stop committing in a workspace, and wait until what was begun is in.

    Uploads are taken, read and extracted, and wait for the end of the pause; questions go on.
    """

    async def work(client: ApiClient) -> None:
        while (workspace := await client.pause_workspace(name))["committing"]:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(_POLL_S)
        if as_json:
            print_json(workspace)
        else:
            sentence = f"Nothing changes in {name} until `ragfleet workspaces resume {name}`."
            output.print(sentence, markup=False, highlight=False)

    run(work, url=url)


@app.command()
def resume(name: NameArgument, *, as_json: JsonOption = False, url: UrlOption = None) -> None:
    """Commit again what waits in a workspace."""

    async def work(client: ApiClient) -> None:
        workspace = await client.resume_workspace(name)
        if as_json:
            print_json(workspace)
        elif workspace["paused"]:
            sentence = f"A copy of {name} is being made; ingestion goes on when it is."
            output.print(sentence, markup=False, highlight=False)
        else:
            output.print(f"Ingestion into {name} goes on.", markup=False, highlight=False)

    run(work, url=url)


def _cells(workspace: dict[str, Any]) -> tuple[str, ...]:
    ingestion = "paused" if workspace["paused"] else ""
    return workspace["name"], str(workspace["documents"]), ingestion
