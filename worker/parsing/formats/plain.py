"""Reads plain text: txt, md, source code and xml as they are, csv as a table, json made legible."""

import csv
import re

from worker.parsing.decode import decode
from worker.parsing.document import Source
from worker.parsing.text import markdown_table

_SNIFFED_CHARACTERS = 16_384  # the first rows tell the delimiter
_LONGEST_CELL_CHARACTERS = 10_000_000
_UNICODE_ESCAPES = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")


def read(source: Source) -> str:
    """Return the text of a plain file; raises DamagedDocumentError for what is no text."""
    text = decode(source.content)
    if source.format == "csv":
        return _csv(text.replace("\x00", ""))
    if source.format == "json":
        return _UNICODE_ESCAPES.sub(_readable, text)
    return text


def _csv(text: str) -> str:
    csv.field_size_limit(_LONGEST_CELL_CHARACTERS)
    head = text[:_SNIFFED_CHARACTERS]
    try:
        delimiter = csv.Sniffer().sniff(head, delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = max(",;\t|", key=head.count)
    try:
        return markdown_table(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except csv.Error:
        return text  # whatever it is, its words are still there to be read


def _readable(escapes: re.Match[str]) -> str:
    r"""Turn \u4e2d into its character, except those that would end a string or a line."""
    characters = bytes.fromhex(escapes[2].replace("\\u", "")).decode("utf-16-be", "replace")
    return escapes[1] + "".join(
        character if character.isprintable() and character not in '"\\' else " "
        for character in characters
    )
