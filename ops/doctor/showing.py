"""What a person or a program sees of the checks."""

from collections.abc import Sequence

from rich.table import Table

from ops.client.session import output, print_json
from ops.doctor.report import Finding, Status

_STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.ERROR: "red",
    Status.SKIPPED: "dim",
}


def show(found: Sequence[Finding], repairs: Sequence[str]) -> None:
    """Print a line for each finding, and what was repaired before."""
    for sentence in repairs:
        output.print(sentence, markup=False, highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in found:
        status = f"[{_STYLES[one.status]}]{one.status}[/]"
        table.add_row(status, one.code, _escaped(_sentence(one)))
    output.print(table)


def show_json(found: Sequence[Finding], repairs: Sequence[str]) -> None:
    """Print the same for programs."""
    print_json({"findings": [one.to_json() for one in found], "repairs": list(repairs)})


def _sentence(one: Finding) -> str:
    where = f"{one.workspace}: " if one.workspace else ""
    examples = f" ({', '.join(one.examples)})" if one.examples else ""
    hint = " `ragfleet doctor --repair` mends it." if one.repairable else ""
    return f"{where}{one.sentence}{examples}{hint}"


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
