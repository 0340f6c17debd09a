"""Reads spreadsheets (xlsx, xls, xlsb, ods): each sheet is a heading and a Markdown table."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.parsing.document import Source
from worker.parsing.errors import DamagedDocumentError, EncryptedDocumentError
from worker.parsing.text import markdown_table

if TYPE_CHECKING:
    import python_calamine


def read(source: Source) -> str:
    """Return all sheets' cells; raises DamagedDocumentError or EncryptedDocumentError."""
    import python_calamine  # noqa: PLC0415 (loaded for this format only)

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(source.content))
        sheets = [(name, markdown_table(_rows(workbook, name))) for name in workbook.sheet_names]
    except python_calamine.PasswordError as error:
        raise EncryptedDocumentError from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise DamagedDocumentError from error
    return "\n\n".join(f"## {name}\n\n{table}" for name, table in sheets if table)


def _rows(workbook: "python_calamine.CalamineWorkbook", name: str) -> Iterator[list[str]]:
    import python_calamine  # noqa: PLC0415

    try:
        sheet = workbook.get_sheet_by_name(name)
    except python_calamine.WorksheetNotFound:
        return  # a chart or macro sheet has no cells
    for row in sheet.iter_rows():
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # spreadsheets keep all numbers as floats
    return str(value)
