"""Which texts PostgreSQL takes: all but those with a NUL or half a character."""


def is_storable_text(text: str) -> bool:
    """Tell whether a text can be written as UTF-8 and holds no NUL."""
    return "\0" not in text and (text.isascii() or _is_utf8(text))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
