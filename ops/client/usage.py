"""`ragfleet usage`: what model calls took, by day."""

from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.session import JsonOption, LimitOption, UrlOption, print_json, run
from ops.client.tables import print_table

_HEADINGS = ("DAY", "WORKSPACE", "MODEL", "PURPOSE", "CALLS", "PROMPT", "COMPLETION")
_FIELDS = (
    "day",
    "workspace",
    "model",
    "purpose",
    "calls",
    "prompt_tokens",
    "completion_tokens",
)


def usage(
    *,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Such as 2026-11-24, in UTC.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Today if left out.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="All if left out.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Show how many calls and tokens the models took, by day, workspace and purpose."""

    async def work(client: ApiClient) -> None:
        found = await client.usage(limit=limit, workspace=workspace, first=first, last=last)
        if as_json:
            print_json(found)
        else:
            print_table(_HEADINGS, found, cells=_cells)

    run(work, url=url)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[field]) for field in _FIELDS)
