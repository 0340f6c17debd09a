"""The account of model calls adds up, whoever writes, and pages over days."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import URL, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from shared.errors import InvalidInputError
from shared.ids import TaskId
from shared.ledger.accounts import Usage, UsageKey
from shared.ledger.ledger import Ledger
from tests.contract.ledger.steps import Steps


def key(
    task_id: str = "", *, model: str = "m", purpose: str = "extract", day: str = "2026-11-24"
) -> UsageKey:
    return UsageKey("default", task_id, model, purpose, day)


async def test_what_is_added_adds_up(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.usage.add({key("t"): Usage(1, 10, 2), key(): Usage(1, 10, 2)})
    await ledger.usage.add({key("t", day="2026-11-25"): Usage(1, 1, 1)})
    await ledger.usage.add({key("other"): Usage(9, 9, 9)})
    (row,) = await ledger.usage.of_task(TaskId("t"))
    assert (row.model, row.purpose, row.used) == ("m", "extract", Usage(4, 31, 7))
    (row,) = await ledger.usage.totals()
    assert row.used == Usage(3, 30, 6)


async def test_processes_that_write_at_once_lose_nothing(ledger: Ledger) -> None:
    counts = {key(purpose=purpose): Usage(1, 2, 3) for purpose in ("query", "extract", "commit")}
    backwards = dict(reversed(counts.items()))
    await asyncio.gather(*(ledger.usage.add(some) for some in [counts, backwards] * 10))
    rows = await ledger.usage.totals()
    assert [row.used for row in rows] == [Usage(20, 40, 60)] * 3


async def test_the_totals_are_no_tasks(ledger: Ledger) -> None:
    await ledger.usage.add({key(): Usage(1, 1, 1)})
    assert await ledger.usage.of_task(TaskId("")) == []


async def test_days_are_listed_in_pages(ledger: Ledger) -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 8)]
    await ledger.usage.add(
        {key(day=day, model=model): Usage(1, 1, 1) for day in days for model in ("a|b", '"c"')}
    )
    await ledger.usage.add({key("t", day=days[1]): Usage(1, 1, 1)})
    found: list[tuple[str, str]] = []
    cursor: str | None = None
    while True:
        page = await ledger.usage.page(
            workspace="default", first_day=days[1], last_day=days[5], cursor=cursor, limit=3
        )
        found += [(row.day, row.model) for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [(day, model) for day in days[1:6] for model in ('"c"', "a|b")]


async def test_other_workspaces_are_left_out(ledger: Ledger) -> None:
    await ledger.usage.add({key(): Usage(1, 1, 1)})
    days = {"first_day": "2026-01-01", "last_day": "2026-12-31"}
    page = await ledger.usage.page(workspace="other", **days, cursor=None, limit=9)
    assert page.rows == []
    page = await ledger.usage.page(workspace=None, **days, cursor=None, limit=9)
    assert len(page.rows) == 1


@pytest.mark.parametrize("cursor", ["W10", "WzFd", "bm9uc2Vuc2U", "%"])
async def test_a_cursor_that_is_not_ours_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        await ledger.usage.page(workspace=None, first_day="", last_day="z", cursor=cursor, limit=9)


async def test_a_removed_task_takes_its_account_with_it_but_not_the_totals(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.queued()
    await ledger.usage.add({key(task.id): Usage(1, 1, 1), key(): Usage(1, 1, 1)})
    await steps.queued(content="two")  # which supersedes it
    assert await ledger.tasks.remove_old(ended_before_ms=2**53, limit=9) == 1
    assert await ledger.usage.of_task(task.id) == []
    assert len(await ledger.usage.totals()) == 1


async def plan_of(question: Coroutine[Any, Any, Any], database: URL) -> str:
    """Ask something, and let the database say how it finds the answer."""
    asked: list[tuple[str, Any]] = []

    def note(_1: object, _2: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await question
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if database.drivername.startswith("sqlite") else "EXPLAIN "
    (statement, parameters), *_ = [one for one in asked if "model_usage" in one[0]]
    engine = create_async_engine(database)
    async with engine.connect() as connection:
        if explain == "EXPLAIN ":
            # With as few rows as here it would read the table, whatever indices there are.
            await connection.execute(text("SET enable_seqscan = off"))
        rows = (await connection.exec_driver_sql(explain + statement, parameters)).all()
    await engine.dispose()
    return str(rows)


async def test_the_totals_are_found_without_reading_the_accounts_of_tasks(
    ledger: Ledger, migrated_database: URL
) -> None:
    await ledger.usage.add(
        {key(f"t{number}"): Usage(1, 1, 1) for number in range(300)} | {key(): Usage(300, 300, 300)}
    )
    days = {"first_day": "2026-11-01", "last_day": "2026-11-30"}
    questions = [
        ledger.usage.totals(),
        ledger.usage.page(workspace=None, **days, cursor=None, limit=9),
        ledger.usage.page(workspace="default", **days, cursor=None, limit=9),
    ]
    plans = [await plan_of(question, migrated_database) for question in questions]
    assert [plan for plan in plans if "ix_model_usage_totals" not in plan] == []


async def test_the_accounts_of_many_tasks_are_removed_without_reading_those_of_all(
    ledger: Ledger, steps: Steps, migrated_database: URL
) -> None:
    for number in range(102):  # PostgreSQL looks into lists of up to a hundred only
        task = await steps.queued(content=str(number))  # which supersedes the one before
        await ledger.usage.add({key(task.id): Usage(1, 1, 1)})
    removal = ledger.tasks.remove_old(ended_before_ms=2**53, limit=200)
    plan = await plan_of(removal, migrated_database)
    assert "ix_model_usage_task_id" in plan
    assert len((await ledger.tasks.page(limit=200)).rows) == 1
