"""`ragfleet query`: a question goes in, an answer with its sources comes out."""

import json
from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from ops.client.api_client import ApiClient
from ops.client.failures import ExitCode
from ops.client.session import (
    JsonOption,
    UrlOption,
    WorkspaceOption,
    complain,
    output,
    print_json,
    run,
)


class Mode(StrEnum):
    """How LightRAG looks for what may answer."""

    NAIVE = "naive"
    LOCAL = "local"
    GLOBAL = "global"
    HYBRID = "hybrid"
    MIX = "mix"


def query(
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    *,
    mode: Annotated[
        Mode, typer.Option(help="naive: chunks; local, global, hybrid: graph; mix: both.")
    ] = Mode.MIX,
    stream: Annotated[bool, typer.Option("--stream", help="Print the answer as it comes.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
    url: UrlOption = None,
) -> None:
    """Ask a question.

    Exit code 0: answered. 1: refused; the line says why. 3: no API answers.
    """

    async def work(client: ApiClient) -> ExitCode:
        if stream:
            return await _print_stream(client.stream_query(question, mode=mode), as_json=as_json)
        answer = await client.query(question, mode=mode)
        if as_json:
            print_json(answer)
        else:
            output.print(answer["response"], markup=False, highlight=False, soft_wrap=True)
            print_sources(answer["references"])
        return ExitCode.FINE

    run(work, url=url, workspace=workspace)


def print_sources(references: Iterable[dict[str, Any]]) -> None:
    """Print the files an answer rests on, numbered as the answer cites them."""
    lines = [f"  [{one['reference_id']}] {one['file_path']}" for one in references or ()]
    if lines:
        output.print("\nSources:", style="bold")
        output.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _print_stream(pieces: AsyncIterator[dict[str, Any]], *, as_json: bool) -> ExitCode:
    references: list[dict[str, Any]] = []
    async for piece in pieces:
        if as_json:
            typer.echo(json.dumps(piece, ensure_ascii=False))
        references.extend(piece.get("references") or ())
        if "error" in piece:
            complain(f"{piece.get('code', 'error')}: {piece['error']}")
            return ExitCode.FAILED
        if not as_json and piece.get("response"):
            typer.echo(piece["response"], nl=False)
    if not as_json:
        typer.echo("")
        print_sources(references)
    return ExitCode.FINE
