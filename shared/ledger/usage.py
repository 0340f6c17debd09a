"""What model calls took: added up for each task, and for each day."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, select, text, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import InvalidInputError
from shared.ids import TaskId
from shared.ledger.accounts import Usage, UsageKey, UsageRow
from shared.ledger.cursor import NOT_OURS, decode_cursor, encode_cursor
from shared.ledger.engine import Database
from shared.ledger.records import Page
from shared.ledger.rows import AnyRow, storable
from shared.ledger.tables import model_usage

_KEY = (
    model_usage.c.day,
    model_usage.c.workspace,
    model_usage.c.task_id,
    model_usage.c.model,
    model_usage.c.purpose,
)
_COUNTS = ("calls", "prompt_tokens", "completion_tokens")
# To the letter what the index of the totals says: tasks have a thousand times as many rows.
_TOTALS = text("task_id = ''")
OF_TASKS = text("task_id <> ''")
"""The same of the index by task; a long list of tasks does not say so by itself."""


class ModelUsage:
    """The account book of model calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Mapping[UsageKey, Usage]) -> None:
        """Add to the accounts; keys without a task are the totals of a day."""
        # In one order everywhere, or two processes would wait for each other's rows.
        rows = sorted((_values(key, used) for key, used in counts.items()), key=_order)
        async with self._database.writing() as connection:
            await connection.execute(_addition(connection), rows)

    async def of_task(self, task_id: TaskId) -> list[UsageRow]:
        """Return what one task used, by model and purpose, whatever the day."""
        statement = (
            _summed(model_usage.c.model, model_usage.c.purpose)
            .where(model_usage.c.task_id == task_id, OF_TASKS)
            .order_by(model_usage.c.model, model_usage.c.purpose)
        )
        async with self._database.reading() as connection:
            return [_to_row(row) for row in (await connection.execute(statement)).all()]

    async def totals(self) -> list[UsageRow]:
        """Return everything ever used, by model and purpose; these numbers never fall."""
        statement = _summed(model_usage.c.model, model_usage.c.purpose).where(_TOTALS)
        async with self._database.reading() as connection:
            return [_to_row(row) for row in (await connection.execute(statement)).all()]

    async def page(
        self,
        *,
        workspace: str | None,
        first_day: str,
        last_day: str,
        cursor: str | None,
        limit: int,
    ) -> Page[UsageRow]:
        """List what was used between two days, both included, the oldest first.

        Raises:
            InvalidInputError: the cursor is not one of ours.
        """
        statement = (
            select(model_usage)
            .where(_TOTALS, model_usage.c.day.between(first_day, last_day))
            .order_by(*_KEY)
            .limit(limit + 1)
        )
        if workspace is not None:
            statement = statement.where(model_usage.c.workspace == workspace)
        if cursor is not None:
            statement = statement.where(tuple_(*_KEY) > tuple_(*_key_of(cursor)))
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        page = rows[:limit]
        more = len(rows) > limit
        return Page([_to_row(row) for row in page], _cursor_of(page[-1]) if more else None)


def _values(key: UsageKey, used: Usage) -> dict[str, Any]:
    return {
        "day": key.day,
        "workspace": key.workspace,
        "task_id": key.task_id,
        "model": storable(key.model),
        "purpose": key.purpose,
        **{name: getattr(used, name) for name in _COUNTS},
    }


def _order(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[column.name] for column in _KEY)


def _addition(connection: AsyncConnection) -> postgresql.Insert | sqlite.Insert:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insertion = dialect.insert(model_usage)
    addition: postgresql.Insert | sqlite.Insert = insertion.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={name: model_usage.c[name] + insertion.excluded[name] for name in _COUNTS},
    )
    return addition


def _summed(*columns: Any) -> Select[Any]:  # noqa: ANN401 - columns of the table
    sums = [func.sum(model_usage.c[name]).label(name) for name in _COUNTS]
    return select(*columns, *sums).group_by(*columns)


def _to_row(row: AnyRow) -> UsageRow:
    return UsageRow(
        day=getattr(row, "day", ""),
        workspace=getattr(row, "workspace", ""),
        model=row.model,
        purpose=row.purpose,
        used=Usage(int(row.calls), int(row.prompt_tokens), int(row.completion_tokens)),
    )


def _cursor_of(row: AnyRow) -> str:
    return encode_cursor(json.dumps([getattr(row, column.name) for column in _KEY]))


def _key_of(cursor: str) -> list[str]:
    try:
        key = json.loads(decode_cursor(cursor))
    except ValueError:
        key = None
    is_key = isinstance(key, list) and len(key) == len(_KEY)
    if not is_key or not all(isinstance(part, str) for part in key):
        raise InvalidInputError(NOT_OURS)
    return [storable(part) for part in key]
