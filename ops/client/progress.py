"""Showing how documents come along: live bars on a terminal, plain lines elsewhere."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ops.client.delivery import Outcome, Watcher

_MARKS = {"succeeded": "[green]✓[/]", "accepted": "[green]✓[/]", "superseded": "[yellow]-[/]"}
_BAD_MARK = "[red]✗[/]"


class Silence:
    """Shows nothing; for `--json`."""

    def moved(self, path: Path, task: dict[str, Any]) -> None:
        """Nothing to do."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing to do."""


class PlainLines:
    """One line per document that ends, and none in between: made for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def moved(self, path: Path, task: dict[str, Any]) -> None:
        """Nothing to do."""

    def ended(self, outcome: Outcome) -> None:
        """Print what became of it."""
        self._console.print(line_of(outcome), highlight=False, soft_wrap=True)


class LiveBars:
    """A bar for every document that is worked on, and one for all of them together."""

    def __init__(self, console: Console, *, documents: int) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._all = self._progress.add_task("[bold]all documents[/]", total=documents, stage="")
        self._bars: dict[Path, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def moved(self, path: Path, task: dict[str, Any]) -> None:
        """Show how far it is; those that still wait for a worker have no bar yet."""
        if task["state"] == "queued" and path not in self._bars:
            return
        if path not in self._bars:
            self._bars[path] = self._progress.add_task(escape(path.name), total=None, stage="")
        self._progress.update(
            self._bars[path],
            completed=task["chunks"]["done"],
            total=task["chunks"]["total"],
            stage=task["state"],
        )

    def ended(self, outcome: Outcome) -> None:
        """Turn its bar into a line."""
        bar = self._bars.pop(outcome.path, None)
        if bar is not None:
            self._progress.remove_task(bar)
        self._progress.advance(self._all)
        self._progress.console.print(line_of(outcome), highlight=False)


def watch(console: Console, *, documents: int, live: bool) -> AbstractContextManager[Watcher]:
    """Choose how to show `documents`; bars need a terminal, and something to wait for."""
    if live and console.is_terminal:
        return LiveBars(console, documents=documents)
    return nullcontext(PlainLines(console))


def line_of(outcome: Outcome) -> str:
    """One line, in rich's markup, that says what became of a file."""
    mark = _MARKS.get(outcome.state, _BAD_MARK)
    here = Path.cwd()
    path = outcome.path
    name = escape(str(path.relative_to(here) if path.is_relative_to(here) else path))
    if outcome.code:
        return f"{mark} {name}  {escape(f'{outcome.code}: {outcome.detail}')}"
    if outcome.chunks is not None:
        return f"{mark} {name}  {outcome.state}, {outcome.chunks} chunks"
    return f"{mark} {name}  {outcome.state}, task {outcome.task_id}"
