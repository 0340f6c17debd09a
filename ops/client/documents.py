"""`ragfleet documents`: the list, and removal."""

from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.session import (
    JsonOption,
    LimitOption,
    UrlOption,
    WorkspaceOption,
    output,
    print_json,
    refuse_options,
    run,
)
from ops.client.tables import print_table

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)


@app.callback()
def documents(
    context: typer.Context,
    *,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """List documents; or: delete one."""
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return

    async def work(client: ApiClient) -> None:
        found = await client.documents(limit=limit)
        if as_json:
            print_json(found)
        else:
            print_table(("DOCUMENT", "FILE", "STATE", "CHUNKS", "BYTES"), found, cells=_cells)

    run(work, url=url, workspace=workspace)


@app.command()
def delete(
    doc_id: Annotated[str, typer.Argument(metavar="DOC_ID")],
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Remove a document from the graph; a task does it."""

    async def work(client: ApiClient) -> None:
        receipt = await client.delete_document(doc_id)
        if as_json:
            print_json(receipt)
        else:
            output.print(f"Task {receipt['task_id']} removes it.", markup=False, highlight=False)

    run(work, url=url, workspace=workspace)


def _cells(document: dict[str, Any]) -> tuple[str, ...]:
    return (
        document["doc_id"],
        document["file_name"],
        document["state"],
        _number(document["chunks"]),
        _number(document["size_bytes"]),
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
