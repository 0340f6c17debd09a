"""`ragfleet insert`: documents go in."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.delivery import Delivery, Outcome
from ops.client.failures import ExitCode
from ops.client.progress import Silence, watch
from ops.client.session import (
    JsonOption,
    UrlOption,
    WorkspaceOption,
    output,
    print_json,
    run,
)
from ops.client.sources import NoSuchSourceError, find_files


def insert(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Files, folders, quoted globs.")
    ],
    *,
    doc_id: Annotated[
        str | None, typer.Option(help="Name of the document; only with a single file.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until every document ended.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Send documents to the API.

    Exit code 0: all accepted (with --wait: all in the graph). 1: at least one was refused or
    failed; its line says why. 2: wrong arguments. 3: no API answers.
    """
    try:
        files = find_files(paths)
    except NoSuchSourceError as error:
        raise typer.BadParameter(str(error)) from None
    if doc_id is not None and len(files) != 1:
        raise typer.BadParameter(f"--doc-id names one document, but there are {len(files)} files.")

    async def work(client: ApiClient) -> ExitCode:
        outcomes = (
            await Delivery(client, Silence(), wait=wait).deliver(files, doc_id=doc_id)
            if as_json
            else await _deliver_visibly(client, files, doc_id=doc_id, wait=wait)
        )
        if as_json:
            print_json([_as_json(outcome) for outcome in outcomes])
        return ExitCode.FAILED if any(outcome.is_bad for outcome in outcomes) else ExitCode.FINE

    run(work, url=url, workspace=workspace)


async def _deliver_visibly(
    client: ApiClient, files: list[Path], *, doc_id: str | None, wait: bool
) -> list[Outcome]:
    with watch(output, documents=len(files), live=wait) as watcher:
        outcomes = await Delivery(client, watcher, wait=wait).deliver(files, doc_id=doc_id)
    bad = sum(outcome.is_bad for outcome in outcomes)
    if len(outcomes) > 1:
        output.print(f"{len(outcomes) - bad} of {len(outcomes)} documents fine, {bad} not")
    return outcomes


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": str(outcome.path),
        "task_id": outcome.task_id,
        "doc_id": outcome.doc_id,
        "state": outcome.state,
        "chunks": outcome.chunks,
        "error": {"code": outcome.code, "detail": outcome.detail} if outcome.code else None,
    }
