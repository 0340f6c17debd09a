"""What a reader is given and what parsing returns."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ParsedDocument:
    """The text of one document.

    `text` is never empty and has neither NUL nor lone surrogates; `format` is "pdf", "docx", ...
    """

    text: str
    format: str


@dataclass(frozen=True)
class Source:
    """The bytes of one file, what they were found to be, and how to read a file inside them."""

    content: bytes
    file_name: str
    format: str
    read_part: Callable[[bytes, str], str]
    """Takes an attachment's bytes and name, returns its text; raises a DocumentError."""
