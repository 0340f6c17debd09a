"""The database's clock in milliseconds since 1970: the only clock leases are measured with."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _NowMs(FunctionElement[int]):
    """The present, as the database sees it."""

    type = BigInteger()
    inherit_cache = True


def now_ms() -> ColumnElement[int]:
    """Return SQL for the time at which the row is looked at, in Unix milliseconds."""
    return _NowMs()


def statement_start_ms() -> ScalarSelect[int]:
    """Return SQL for a time that is read once per statement, so that an index can serve it."""
    return select(_NowMs()).scalar_subquery()


@compiles(_NowMs, "postgresql")
def _on_postgresql(_element: _NowMs, _compiler: SQLCompiler, **_kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's hook
    # Not now(): that stands still for a whole transaction, however long it waited for a lock.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(_NowMs, "sqlite")
def _on_sqlite(_element: _NowMs, _compiler: SQLCompiler, **_kw: Any) -> str:  # noqa: ANN401 - SQLAlchemy's hook
    # Day 2440587.5 of the Julian calendar is 1970; unixepoch('subsec') came only with 3.42.
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"
