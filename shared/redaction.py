"""Keeps passwords out of log lines: known ones wherever they stand, unknown ones in addresses."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
# `scheme://user:password@host`. A password may hold an `@`, so the last one before the path counts.
_IN_ADDRESS = re.compile(r"(://[^\s/:@]*):[^\s/]*@")
# Taken out of every text, a secret as short as this would leave holes in ordinary words.
_SHORTEST_CHARS = 4

Redact = Callable[[Any], Any]


def redactor_of(secrets: Iterable[str]) -> Redact:
    """Make a function that hides passwords in a value.

    Args:
        secrets: passwords, keys, and addresses with a password in them.

    Returns:
        Takes any value of a log line and returns it as JSON types, with `***` for every secret.
        Secrets of fewer than four characters are only found inside of addresses.
    """
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    # The longest first: one secret may be the beginning of another.
    ordered = sorted(spellings, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def redact(value: Any) -> Any:  # noqa: ANN401 - JSON, or what some library put into its line
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {redact(str(key)): redact(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [redact(inner) for inner in value]
        text = str(value) if isinstance(value, str) else repr(value)
        if known is not None:
            text = known.sub(HIDDEN, text)
        return _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text) if "://" in text else text

    return redact


def _spellings(secret: str) -> set[str]:
    """Return the ways in which a secret may be written into a line."""
    words = {secret}
    if "://" in secret and (inside := urlsplit(secret).password):
        words |= {inside, unquote(inside)}
    return {
        spelling
        for word in words
        for spelling in (
            word,
            quote(word),
            quote(word, safe=""),
            quote_plus(word),
            repr(word)[1:-1],
            json.dumps(word)[1:-1],
        )
        if len(spelling) >= _SHORTEST_CHARS
    }
