"""Reads PDF with pdfium; pages with ruled tables also with pdfplumber."""

import io
import re
from typing import TYPE_CHECKING

from worker.parsing.document import Source
from worker.parsing.errors import (
    DamagedDocumentError,
    EncryptedDocumentError,
    NoTextError,
    NoTextLayerError,
)
from worker.parsing.formats import office
from worker.parsing.formats.pdf_tables import RuledTables, has_ruling_lines
from worker.parsing.paragraphs import unwrapped
from worker.parsing.text import has_words

if TYPE_CHECKING:
    import pypdfium2

# pdfium marks a hyphen at a line's end with \x02 (older: U+FFFE) and joins the lines.
_LINE_END_HYPHEN = re.compile("(\\w?)[\x02\ufffe](?:\r?\n)?(\\w?)")


def read(source: Source) -> str:
    """Return the pages' text; raises NoTextLayerError for scans and EncryptedDocumentError."""
    import pypdfium2  # noqa: PLC0415 (loaded for this format only)

    try:
        document = pypdfium2.PdfDocument(source.content)
        pages = _pages(document, source.content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}:
            raise EncryptedDocumentError from error
        return _by_other_parser(source.content)
    text = "\n\n".join(pages)
    if not has_words(text):
        raise _why_no_text(document)
    return text


def _pages(document: "pypdfium2.PdfDocument", content: bytes) -> list[str]:
    tables = RuledTables(io.BytesIO(content))
    texts: list[str] = []
    for index in range(len(document)):
        page = document[index]
        text_page = page.get_textpage()
        text = text_page.get_text_bounded()
        if has_words(text) and has_ruling_lines(page):
            text = tables.insert(index, page, text_page) or text
        texts.append(unwrapped(_LINE_END_HYPHEN.sub(_join, text)))
        text_page.close()
        page.close()
    return texts


def _join(match: re.Match[str]) -> str:
    before, after = match.groups()
    # "dis-tribution" is one word, "Debian-Edu" and "GPL-2" keep their hyphen.
    hyphen = "" if before.islower() and after.islower() else "-"
    return f"{before}{hyphen}{after}"


def _by_other_parser(content: bytes) -> str:
    """Try what pdfium calls broken with another parser; it is patient with cut files."""
    text = office.extract(content, "pdf")
    if not has_words(text):
        raise DamagedDocumentError
    return text


def _why_no_text(document: "pypdfium2.PdfDocument") -> NoTextError | NoTextLayerError:
    for index in range(len(document)):
        if next(iter(document[index].get_objects(max_depth=1)), None) is not None:
            return NoTextLayerError()
    return NoTextError("The PDF's pages are blank; upload one that has text in it.")
