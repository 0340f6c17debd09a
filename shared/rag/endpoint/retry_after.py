"""How long a server asks us to wait: in seconds, in milliseconds, or until a date."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

# Nobody waits as long; larger numbers would only overflow where they are converted.
_LONGEST_S = 7 * 86_400.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read a reply's headers; None when they say nothing that can be understood.

    A date is compared with the reply's own date if there is one: our clock may be wrong.
    """
    asked_s = _asked_s(headers)
    return None if asked_s is None else min(asked_s, _LONGEST_S)


def _asked_s(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None:
        return seconds
    until = _moment(value)
    if until is None:
        return None
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
