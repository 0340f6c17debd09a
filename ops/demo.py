"""`ragfleet demo`: the whole system for a minute, with the sample documents, then gone again."""

import asyncio
import json
import signal
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import typer
from rich.console import Console

from ops.client.api_client import ApiClient
from ops.client.delivery import Delivery
from ops.client.failures import ApiProblemError, ExitCode, ServerNotReachableError
from ops.client.progress import watch
from ops.client.query import print_answer
from ops.client.session import complain, output
from ops.client.sources import find_files
from ops.system import fetch_neo4j
from shared.errors import AppError
from shared.settings import load_settings

EXAMPLES = Path(__file__).parent.parent / "examples"
_QUESTIONS = "questions.json"
NOT_DOCUMENTS = {_QUESTIONS, "README.md"}


class Running(Protocol):
    """A system that runs for us."""

    @property
    def api_url(self) -> str:
        """Where its API listens."""


@dataclass(frozen=True)
class ExampleQuestion:
    """A question whose answer stands in one of the examples."""

    question: str
    mode: str
    expected_file: str


def demo() -> None:
    """Start everything, read the sample documents, ask three questions, stop everything.

    Exit code 0: every answer cites the file it should. 1: not so.
    """
    started_s = time.monotonic()
    from ops.up import local_plan, running_system, with_own_servers  # noqa: PLC0415 - slow for others

    # Asked to end in whatever way: the servers and their folder go first.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    settings = with_own_servers(load_settings())
    with tempfile.TemporaryDirectory(prefix="ragfleet-demo-") as data_dir:
        # PostgreSQL refuses to run as root and becomes another user, who must get through.
        Path(data_dir).chmod(0o711)
        try:
            fetch_neo4j(settings)
            plan = local_plan(settings, data_dir=Path(data_dir), api_port=None, flower_port=None)
            fine = asyncio.run(show(running_system(plan), key=settings.api.key.get_secret_value()))
        except (AppError, ApiProblemError, ServerNotReachableError) as error:
            complain(str(error))
            fine = False
    output.print(f"\nEverything is stopped again; it took {time.monotonic() - started_s:.0f} s.")
    if not fine:
        raise typer.Exit(ExitCode.FAILED)
    output.print("Now yours: `make up`, then open the address that it prints.")


async def show(starting: AbstractAsyncContextManager[Running], *, key: str) -> bool:
    """Run the demo on a system; whether all went as it should."""
    output.print("Starting the servers, the API and the workers …")
    async with starting as system, ApiClient(system.api_url, key=key) as client:
        print_models(output, await client.describe())
        return await _read_examples(client) and await _ask_questions(client)


def print_models(console: Console, description: dict[str, Any]) -> None:
    """Say honestly which models work here."""
    models = description["models"]
    console.print(f"Language model: {models['llm']}. Embedding model: {models['embedding']}.")
    if models.get("note"):
        console.print(models["note"], style="dim")


async def _read_examples(client: ApiClient) -> bool:
    files = [path for path in find_files([str(EXAMPLES)]) if path.name not in NOT_DOCUMENTS]
    output.print(f"\nReading {len(files)} documents:", style="bold")
    with watch(output, documents=len(files), live=True) as watcher:
        outcomes = await Delivery(client, watcher, wait=True).deliver(files)
    return not any(outcome.is_bad for outcome in outcomes)


async def _ask_questions(client: ApiClient) -> bool:
    questions = await asyncio.to_thread(_load_questions)
    missed = [one for one in questions if not await _ask(client, one)]
    for one in missed:
        complain(f"Not cited: {one.expected_file}, for “{one.question}”")
    return not missed


async def _ask(client: ApiClient, example: ExampleQuestion) -> bool:
    output.print(f"\n{example.question}", style="bold cyan", markup=False, highlight=False)
    answer = await client.query(example.question, mode=example.mode)
    print_answer(answer)
    # The references list what was looked at; only what the text points to is cited.
    return any(
        one["file_path"] == example.expected_file
        and f"[{one['reference_id']}]" in answer["response"]
        for one in answer["references"]
    )


def _load_questions() -> list[ExampleQuestion]:
    content = json.loads((EXAMPLES / _QUESTIONS).read_text(encoding="utf-8"))
    return [ExampleQuestion(**one) for one in content]
