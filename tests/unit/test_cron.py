"""Times as cron writes them, and those that nobody can mean."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from shared.cron import parse_cron
from shared.errors import SettingsError
from shared.settings import load_settings

MOMENT = datetime(2026, 11, 28, 12, 34, 56, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("text", "last", "next_"),
    [
        ("* * * * *", "2026-11-28 12:34", "2026-11-28 12:35"),
        ("34 12 * * *", "2026-11-28 12:34", "2026-11-29 12:34"),
        ("30 3 * * *", "2026-11-28 03:30", "2026-11-29 03:30"),
        ("*/20 * * * *", "2026-11-28 12:20", "2026-11-28 12:40"),
        ("5/30 9-10,20 * * *", "2026-11-28 10:35", "2026-11-28 20:05"),
        ("0 0 * * 0", "2026-11-22 00:00", "2026-11-29 00:00"),
        ("0 0 * * 7", "2026-11-22 00:00", "2026-11-29 00:00"),
        ("0 0 * * 1-5", "2026-11-27 00:00", "2026-11-30 00:00"),
        ("0 4 1 */3 *", "2026-10-01 04:00", "2027-01-01 04:00"),
        ("0 0 29 2 *", "2024-02-29 00:00", "2028-02-29 00:00"),
    ],
)
def test_the_times_around_a_moment(text: str, last: str, next_: str) -> None:
    cron = parse_cron(text)
    assert f"{cron.last(MOMENT):%Y-%m-%d %H:%M}" == last
    assert f"{cron.next(MOMENT):%Y-%m-%d %H:%M}" == next_


@pytest.mark.parametrize(
    "text",
    ["daily", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "*/0 * * * *", "5-1 * * * *", "*-3 * * * *", "-1 * * * *", "x * * * *", ", * * * *",
     "0 0 30 2 *", "0 0 1 * 1", "0 0 * * mon"],
)  # fmt: skip
def test_what_nobody_can_mean_is_refused_with_the_name_of_the_variable(text: str) -> None:
    with pytest.raises(SettingsError, match="BACKUP_SCHEDULE is not usable: "):
        load_settings(None, overrides={"BACKUP_SCHEDULE": text})


fields = st.tuples(
    *(
        st.sampled_from(["*", "*/2", "*/7", str(low), f"{low}-{low + 3}", f"{low + 1},{low + 5}"])
        for low in (0, 0, 1, 1)
    )
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 - UTC is added


@given(fields, moments)
def test_it_is_due_when_celery_says_so(fields: tuple[str, ...], moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    minute, hour, day, month = fields
    cron = parse_cron(" ".join([*fields, "*"]))
    theirs = crontab(
        minute=minute, hour=hour, day_of_month=day, month_of_year=month, nowfun=lambda: moment
    )

    remaining = theirs.remaining_estimate(moment)
    assert cron.next(moment) == (moment + remaining).replace(microsecond=0)
    assert cron.last(moment) <= moment < cron.next(moment)
    assert cron.next(cron.last(moment) - timedelta(minutes=1)) == cron.last(moment)
