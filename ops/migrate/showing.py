"""What a person sees of a migration: a bar while it runs, and tables."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ops.migrate.comparing import Comparison
from ops.migrate.switching import Switch
from ops.migrate.tally import Sum, section_of
from worker.commit.operations import Operation


class Bars:
    """One bar a section, all known from the beginning."""

    def __init__(self, console: Console, sums: Mapping[str, Sum], verb: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<32}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=console.is_terminal,  # what follows says it in fewer lines
        )
        self._bars = {
            section: self._progress.add_task(f"{verb} {section}", total=found.count)
            for section, found in sums.items()
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def advance(self, operation: Operation) -> None:
        """Move the bar of the operation's section."""
        self.advance_by(section_of(operation), len(operation.rows))

    def advance_by(self, section: str, items: int) -> None:
        """Move the bar of a section."""
        if section not in self._bars:  # it came while we looked: told when all is copied
            self._bars[section] = self._progress.add_task(section, total=None)
        self._progress.advance(self._bars[section], items)


@contextmanager
def counting(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show one bar, and give the function that moves it on by a number."""
    columns = (TextColumn("{task.description:<32}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, _RateColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda number: progress.advance(bar, number)


class _RateColumn(ProgressColumn):
    """Items a second, lately."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


def table_of(sums: Mapping[str, Sum]) -> Table:
    """Make a table of what is in a workspace."""
    table = Table("what", "items", "checksum")
    for section, found in sums.items():
        table.add_row(section, f"{found.count:,}", found.digest[:16])
    return table


def table_of_comparison(comparison: Comparison) -> Table:
    """Make a table of what was read back."""
    table = Table("what", "equal", "different")
    for section in sorted({*comparison.equal, *comparison.different}):
        table.add_row(
            section, f"{comparison.equal[section]:,}", f"{comparison.different[section]:,}"
        )
    return table


def tell_switch(console: Console, switch: Switch) -> None:
    """Print the settings with which the new stores are used."""
    for whom, found in (
        ("this system", switch.fleet),
        ("a stock lightrag-server", switch.stock),
    ):
        console.print(f"Settings for {whom} (passwords are not shown, and needed):")
        for name, value in found.items():
            console.print(f"  {name}={value}", markup=False, highlight=False, soft_wrap=True)
