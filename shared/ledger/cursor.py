"""Opaque page cursors: the last key of a page, so that the next one starts after it."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.errors import InvalidInputError
from shared.ledger.records import Page
from shared.ledger.rows import AnyRow

Record = TypeVar("Record")

NOT_OURS = "The cursor is not one of ours; start again from the first page."


def encode_cursor(key: str) -> str:
    """Hide a key from people, who would otherwise build their own."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the key of a cursor.

    Raises:
        InvalidInputError: no cursor of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        key = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidInputError(NOT_OURS) from None
    if not key.isprintable():  # PostgreSQL cannot even look for a NUL
        raise InvalidInputError(NOT_OURS)
    return key


def to_page(
    rows: Sequence[AnyRow],
    record: Callable[[AnyRow], Record],
    *,
    key: str,
    limit: int,
) -> Page[Record]:
    """Cut `limit + 1` selected rows into a page; `key` names the column that orders them."""
    page = rows[:limit]
    more = len(rows) > limit
    cursor = encode_cursor(str(getattr(page[-1], key))) if more and page else None
    return Page(rows=[record(row) for row in page], cursor=cursor)
