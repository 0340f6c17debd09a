"""`ragfleet tasks`: the list, one task, cancel and retry."""

from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.session import (
    JsonOption,
    LimitOption,
    UrlOption,
    WorkspaceOption,
    print_json,
    refuse_options,
    run,
)
from ops.client.tables import chunks_of, local_time, print_fields, print_table

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)
TaskArgument = Annotated[str, typer.Argument(metavar="ID")]


@app.callback()
def tasks(
    context: typer.Context,
    *,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    limit: LimitOption = 50,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """List tasks, newest first; or: show, cancel, retry one."""
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return

    async def work(client: ApiClient) -> None:
        found = await client.tasks(limit=limit, state=state)
        if as_json:
            print_json(found)
        else:
            print_table(
                ("TASK", "KIND", "STATE", "CHUNKS", "DOCUMENT", "WHAT"), found, cells=_cells
            )

    run(work, url=url, workspace=workspace)


@app.command()
def show(
    task_id: TaskArgument,
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Show everything about one task."""

    async def work(client: ApiClient) -> None:
        _print_one(await client.task(task_id), as_json=as_json)

    run(work, url=url, workspace=workspace)


@app.command()
def cancel(
    task_id: TaskArgument,
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Stop a task that is not being committed yet."""

    async def work(client: ApiClient) -> None:
        _print_one(await client.cancel(task_id), as_json=as_json)

    run(work, url=url, workspace=workspace)


@app.command()
def retry(
    task_id: TaskArgument,
    *,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Start a failed or cancelled task again."""

    async def work(client: ApiClient) -> None:
        _print_one(await client.retry(task_id), as_json=as_json)

    run(work, url=url, workspace=workspace)


def _print_one(task: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(task)
    else:
        print_fields(task)


def _cells(task: dict[str, Any]) -> tuple[str, ...]:
    error = task["error"]
    what = f"{error['code']}: {error['detail']}" if error else local_time(task["updated_at"])
    edited = (task.get("edit") or {}).get("subject")
    about = task["file_name"] or task["doc_id"] or edited or task["workspace"]
    return task["id"], task["kind"], task["state"], chunks_of(task), about, what
