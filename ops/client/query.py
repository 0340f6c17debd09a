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

# LightRAG asks its models to end with the list of what they cite, under this heading.
_OWN_LIST = "### References"


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
            print_answer(answer)
        return ExitCode.FINE

    run(work, url=url, workspace=workspace)


def print_answer(answer: dict[str, Any]) -> None:
    """Print an answer and the files it rests on."""
    output.print(answer["response"], markup=False, highlight=False, soft_wrap=True)
    _print_sources(answer["response"], answer.get("references"))


def _print_sources(response: str, references: Iterable[dict[str, Any]] | None) -> None:
    if _OWN_LIST in response:  # it names those that it cites, and leaves the others out
        return
    lines = [f"  [{one['reference_id']}] {one['file_path']}" for one in references or ()]
    if lines:
        output.print("\nSources:", style="bold")
        output.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _print_stream(pieces: AsyncIterator[dict[str, Any]], *, as_json: bool) -> ExitCode:
    references: list[dict[str, Any]] = []
    response = ""
    async for piece in pieces:
        if as_json:
            typer.echo(json.dumps(piece, ensure_ascii=False))
        references.extend(piece.get("references") or ())
        if "error" in piece:
            complain(f"{piece.get('code', 'error')}: {piece['error']}")
            return ExitCode.FAILED
        response += piece.get("response", "")
        if not as_json:
            typer.echo(piece.get("response", ""), nl=False)
    if not as_json:
        typer.echo("")
        _print_sources(response, references)
    return ExitCode.FINE
