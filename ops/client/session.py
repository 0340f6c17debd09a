"""One run of a client command: settings, connection, and errors turned into exit codes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from ops.client.addresses import api_url
from ops.client.api_client import ApiClient
from ops.client.failures import ApiProblemError, ExitCode, ServerNotReachableError
from shared.errors import AppError, SettingsError
from shared.settings import load_settings

UrlOption = Annotated[
    str | None, typer.Option("--url", help="Address of the API; default: the one that runs here.")
]
WorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", "-w", help="Workspace; default: `default`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]

output = Console()
_complaints = Console(stderr=True)


def run(
    work: Callable[[ApiClient], Awaitable[ExitCode | None]],
    *,
    url: str | None,
    workspace: str | None = None,
) -> None:
    """Run `work` with a client, then end the process with its exit code.

    Raises:
        typer.Exit: always, when the code is not 0.
    """
    try:
        settings = load_settings()
        address = api_url(settings, named=url)
        key = settings.api.key.get_secret_value()
        code = asyncio.run(_with_client(work, address, key=key, workspace=workspace))
    except SettingsError as error:
        raise _complaint(f"{error.code}: {error.detail}", ExitCode.USAGE) from None
    except ServerNotReachableError as error:
        raise _complaint(str(error), ExitCode.UNREACHABLE) from None
    except ApiProblemError as error:
        raise _complaint(str(error), ExitCode.FAILED) from None
    if code:
        raise typer.Exit(code)


def complain(sentence: str) -> None:
    """Print what went wrong, apart from the output."""
    _complaints.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)


def refuse_options(context: typer.Context) -> None:
    """Refuse options between a command and its subcommand, where nobody would look at them.

    Raises:
        typer.BadParameter: there are such options.
    """
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"write options after `{context.invoked_subcommand}`.")


def print_json(content: Any) -> None:  # noqa: ANN401 - whatever the API answered
    """Print what the API answered, unchanged and without colours."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


@contextmanager
def complaining() -> Iterator[None]:
    """Turn what is wrong with settings or servers into a sentence and an exit code.

    Raises:
        typer.Exit: in place of our own errors and the system's.
    """
    try:
        yield
    except SettingsError as error:
        raise _complaint(f"{error.code}: {error.detail}", ExitCode.USAGE) from None
    except AppError as error:
        raise _complaint(f"{error.code}: {error.detail}", ExitCode.FAILED) from None
    except OSError as error:
        raise _complaint(str(error) or type(error).__name__, ExitCode.FAILED) from None


async def _with_client(
    work: Callable[[ApiClient], Awaitable[ExitCode | None]],
    address: str,
    *,
    key: str,
    workspace: str | None,
) -> ExitCode | None:
    async with ApiClient(address, key=key, workspace=workspace) as client:
        return await work(client)


def _complaint(sentence: str, code: ExitCode) -> typer.Exit:
    complain(sentence)
    return typer.Exit(code)
