"""Ruled tables of a PDF page as Markdown rows, put where they stand between the other text."""

import io
import itertools
from typing import TYPE_CHECKING

from worker.parsing.text import markdown_table

if TYPE_CHECKING:
    import pypdfium2
    from pdfplumber.pdf import PDF

# pdfplumber needs up to a second a page; long registers of tables stay plain text after these.
_MAX_PAGES = 100
_MAX_OBJECTS = 5_000  # drawings and maps have more lines than any table
_MIN_RULES = 3  # a frame of one row has two in each direction
_LINE_THICKNESS_POINTS = 2.0
_MIN_LENGTH_POINTS = 15.0


def has_ruling_lines(page: "pypdfium2.PdfPage") -> bool:
    """Tell whether a page has straight lines in both directions, as a ruled table has."""
    import pypdfium2  # noqa: PLC0415

    horizontal = vertical = 0
    paths = page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH], max_depth=2)
    for path in itertools.islice(paths, _MAX_OBJECTS):
        left, bottom, right, top = path.get_bounds()
        width, height = right - left, top - bottom
        if height <= _LINE_THICKNESS_POINTS and width >= _MIN_LENGTH_POINTS:
            horizontal += 1
        elif width <= _LINE_THICKNESS_POINTS and height >= _MIN_LENGTH_POINTS / 2:
            vertical += 1
        elif width >= _MIN_LENGTH_POINTS and height >= _MIN_LENGTH_POINTS / 2:
            horizontal += 1  # a rectangle is a cell's frame
            vertical += 1
        if horizontal >= _MIN_RULES and vertical >= _MIN_RULES:
            return True
    return False


class RuledTables:
    """Opens the PDF with pdfplumber when the first page asks for it."""

    def __init__(self, content: io.BytesIO) -> None:
        self._content = content
        self._document: PDF | None = None
        self._pages_left = _MAX_PAGES

    def insert(
        self, index: int, page: "pypdfium2.PdfPage", text_page: "pypdfium2.PdfTextPage"
    ) -> str | None:
        """Return the page's text with its tables as Markdown, or None when it has no table."""
        if self._pages_left == 0 or page.get_rotation():
            return None  # a rotated page's two parsers disagree on where things are
        self._pages_left -= 1
        tables = sorted(self._find(index), key=lambda table: table[0][1])
        if not tables:
            return None
        left, bottom, right, top = page.get_mediabox()
        pieces: list[str] = []
        upper = top
        for (table_left, table_top, table_right, table_bottom), markdown in tables:
            upper_edge, lower_edge = top - table_top, top - table_bottom
            if upper_edge > upper + 1:
                continue  # beside another table, whose band has its text already
            pieces += [
                text_page.get_text_bounded(left, upper_edge, right, upper),
                text_page.get_text_bounded(left, lower_edge, left + table_left, upper_edge),
                markdown,
                text_page.get_text_bounded(left + table_right, lower_edge, right, upper_edge),
            ]
            upper = lower_edge
        pieces.append(text_page.get_text_bounded(left, bottom, right, upper))
        return "\n\n".join(piece for piece in pieces if piece.strip())

    def _find(self, index: int) -> list[tuple[tuple[float, float, float, float], str]]:
        """Return bounding boxes (from the top left, in points) and Markdown of real tables."""
        import pdfplumber  # noqa: PLC0415 (slow to load; few pages need it)
        from pdfplumber.utils.exceptions import PdfminerException  # noqa: PLC0415

        try:
            if self._document is None:
                self._document = pdfplumber.open(self._content)
            page = self._document.pages[index]
            found = [(table.bbox, table.extract()) for table in page.find_tables()]
            page.close()
        except (PdfminerException, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return []  # pdfium has read the page; only the table's shape is lost
        return [(box, _markdown(rows)) for box, rows in found if _is_table(rows)]


def _is_table(rows: list[list[str | None]]) -> bool:
    """Tell a table from a frame around text."""
    filled = sum(bool(cell and cell.strip()) for row in rows for cell in row)
    return len(rows) >= 2 and len(rows[0]) >= 2 and filled >= 3


def _markdown(rows: list[list[str | None]]) -> str:
    return markdown_table([cell or "" for cell in row] for row in rows)
