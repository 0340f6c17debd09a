"""How lists of things look in a terminal."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.client.session import output

_PIPE_CHARS = 10_000
Cells = Callable[[dict[str, Any]], Iterable[str]]


def print_table(headings: Iterable[str], rows: list[dict[str, Any]], *, cells: Cells) -> None:
    """Print `rows` as a table; nothing but a sentence when there are none."""
    if not rows:
        output.print("There are none.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in cells(row)))
    # In a pipe a line stays a line, however long; a table takes only what it needs of this.
    target = output if output.is_terminal else Console(width=_PIPE_CHARS)
    target.print(table, highlight=False)


def print_fields(row: dict[str, Any]) -> None:
    """Print one thing field by field; what is not known is left out."""
    width = max(map(len, row), default=0)
    for name, value in row.items():
        if value is not None:
            output.print(f"{name:<{width}}  {_text(value)}", markup=False, highlight=False)


def chunks_of(task: dict[str, Any]) -> str:
    """How many chunks are done of how many; nothing while that is not known."""
    total = task["chunks"]["total"]
    return "" if total is None else f"{task['chunks']['done']}/{total}"


def local_time(moment: str) -> str:
    """An ISO 8601 time as a person reads it, in the machine's zone."""
    return datetime.fromisoformat(moment).astimezone().strftime("%F %T")


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value) or "none"
    return str(value)
