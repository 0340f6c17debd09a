"""Times as cron writes them: five fields, in UTC."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIELD = re.compile(r"(?P<low>\*|\d{1,2})(-(?P<high>\d{1,2}))?(/(?P<step>\d{1,2}))?")
_NAMES = ("minute", "hour", "day of the month", "month", "day of the week")
_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
# Eight years have a 29 February in them, also around 2100.
_HORIZON_DAYS = 8 * 366 + 1


@dataclass(frozen=True)
class Cron:
    """When something is due; each field is the set of numbers that fit. Sunday is 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def last(self, moment: datetime) -> datetime:
        """Return the newest time at or before a moment when it was due."""
        return next(self._times(_minute_of(moment), step=-1))

    def next(self, moment: datetime) -> datetime:
        """Return the oldest time after a moment when it is due."""
        return next(self._times(_minute_of(moment) + timedelta(minutes=1), step=1))

    def _times(self, start: datetime, *, step: int) -> Iterator[datetime]:
        for number in range(_HORIZON_DAYS):
            day = start.date() + timedelta(days=step * number)
            if not self._is_on(day.day, day.month, day.isoweekday() % 7):
                continue
            for hour in sorted(self.hours, reverse=step < 0):
                for minute in sorted(self.minutes, reverse=step < 0):
                    time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if (time - start) * step >= timedelta(0):
                        yield time

    def _is_on(self, day: int, month: int, weekday: int) -> bool:
        return day in self.days and month in self.months and weekday in self.weekdays


def parse_cron(text: str) -> Cron:
    """Read five fields: numbers, `*`, `a-b`, `*/n`, `a-b/n`, and lists of those with commas.

    Raises:
        ValueError: it is none of that, or a time that never comes; the sentence says what is wrong.
    """
    fields = text.split()
    if len(fields) != len(_NAMES):
        raise ValueError("it has not five fields: minute, hour, day, month, day of the week")
    minutes, hours, days, months, weekdays = (
        _numbers(field, name, *bounds)
        for field, name, bounds in zip(fields, _NAMES, _BOUNDS, strict=True)
    )
    if not (fields[2].startswith("*") or fields[4].startswith("*")):
        # Programs disagree whether one of the two has to fit or both.
        raise ValueError("it names days of the month and days of the week; leave one of them `*`")
    cron = Cron(minutes, hours, days, months, frozenset(number % 7 for number in weekdays))
    try:
        cron.next(datetime(2000, 1, 1, tzinfo=UTC))
    except StopIteration:
        raise ValueError("there is no such day in any year") from None
    return cron


def _numbers(field: str, name: str, lowest: int, highest: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _FIELD.fullmatch(part)
        if match is None or (match["low"] == "*" and match["high"]):
            raise ValueError(f"its {name} `{field}` is neither numbers nor `*`")
        step = int(match["step"] or 1)
        if match["low"] == "*":
            low, high = lowest, highest
        else:
            low = int(match["low"])
            # `5/15` means from 5 on, as in most programs.
            high = int(match["high"] or (highest if match["step"] else low))
        if not (lowest <= low <= high <= highest and step):
            raise ValueError(f"its {name} `{field}` is not within {lowest} to {highest}")
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _minute_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
