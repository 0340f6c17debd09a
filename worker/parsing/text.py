"""What all text looks like before it leaves: clean characters and Markdown table rows."""

import re
from collections.abc import Iterable, Sequence

_SURROGATE = re.compile("[\ud800-\udfff]")
_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters mean nothing to a reader, and databases refuse some of them.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_TRAILING_SPACE = re.compile("[ \t\u3000\u00a0]+(?=\n|$)")
_BLANK_LINES = re.compile("\n{3,}")
_READABLE = re.compile(r"[^\W_]|[^\w\s\ufffd\u200b-\u200f\u2060|#*-]")


def clean(text: str) -> str:
    """Return `text` with plain newlines and without NUL, control characters or lone surrogates."""
    if _SURROGATE.search(text):
        # Halves that belong together become their character, others the replacement character.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _CONTROL.sub("", _NEWLINE.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text)).strip("\n")


def has_words(text: str) -> bool:
    """Tell whether anything in `text` can be read (a table's empty frame cannot)."""
    return _READABLE.search(text) is not None


def markdown_row(cells: Sequence[str]) -> str:
    """Return one Markdown table row; line breaks and bars inside a cell are made harmless."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells as a Markdown table whose first row is its heading; blank rows go."""
    lines: list[str] = []
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        lines.append(markdown_row(row))
        if len(lines) == 1:
            lines.append("|" + " --- |" * len(row))
    return "\n".join(lines)
