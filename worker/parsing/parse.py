"""From bytes to clean text: sniff, read with the format's reader, clean, check the limits."""

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from worker.parsing import sniff as sniffing
from worker.parsing.document import ParsedDocument, Source
from worker.parsing.errors import (
    DamagedDocumentError,
    DocumentTooLargeError,
    NoTextError,
    UnsupportedFormatError,
)
from worker.parsing.text import clean, has_words

# About 25 bibles; more text than a graph of one document serves, and 200 MB of memory at worst.
MAX_TEXT_CHARACTERS = 50_000_000
# A mail in a mail in a mail; deeper is a construction, not correspondence.
MAX_NESTED_FILES = 5

_READERS = {
    **dict.fromkeys(("docx", "pptx", "odt", "rtf", "msg", "doc", "ppt"), "office"),
    **dict.fromkeys(("xlsx", "xls", "xlsb", "ods"), "sheet"),
    **dict.fromkeys(("txt", "md", "json", "csv"), "plain"),
    "pdf": "pdf",
    "html": "html",
    "epub": "epub",
    "eml": "mail",
}


def parse_file(
    path: Path, file_name: str, *, max_text_characters: int = MAX_TEXT_CHARACTERS
) -> ParsedDocument:
    """Return the text of the file at `path`.

    Args:
        path: where the bytes are.
        file_name: what the person called the file; a hint among kinds of plain text only.
        max_text_characters: the longest text that is accepted.

    Raises:
        DocumentError: one of worker.parsing.errors, for every file that cannot be read.
    """
    return parse_bytes(path.read_bytes(), file_name, max_text_characters=max_text_characters)


def parse_bytes(
    content: bytes,
    file_name: str,
    *,
    max_text_characters: int = MAX_TEXT_CHARACTERS,
    depth: int = 0,
) -> ParsedDocument:
    """Return the text of `content`; `depth` counts the files around it. Raises DocumentError."""
    if depth > MAX_NESTED_FILES:
        raise UnsupportedFormatError("Files are nested too deeply; upload the inner ones alone.")
    document_format = sniffing.sniff(content, file_name)
    part = partial(_read_part, max_text_characters=max_text_characters, depth=depth + 1)
    # Only the libraries of the format at hand are loaded: a child stays small.
    reader = importlib.import_module(f"worker.parsing.formats.{_READERS[document_format]}")
    text = clean(_read(reader.read, Source(content, file_name, document_format, part)))
    if not has_words(text):
        raise NoTextError
    if len(text) > max_text_characters:
        raise DocumentTooLargeError
    return ParsedDocument(text=text, format=document_format)


def _read(read: Callable[[Source], str], source: Source) -> str:
    try:
        return read(source)
    except DamagedDocumentError:
        if source.format in {"txt", "md", "json", "csv"} and sniffing.named_as_binary(
            source.file_name
        ):
            sniffing.refuse_broken_promise(source.file_name)
        raise


def _read_part(content: bytes, file_name: str, *, max_text_characters: int, depth: int) -> str:
    return parse_bytes(
        content, file_name, max_text_characters=max_text_characters, depth=depth
    ).text
