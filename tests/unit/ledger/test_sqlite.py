"""The ledger of files mode: what SQLite needs to be told."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.ledger.engine import prepare_sqlite

_AT_ONCE = 8


def test_a_new_ledger_that_many_open_at_the_same_moment_logs_ahead_for_all(tmp_path: Path) -> None:
    for number in range(20):
        _open_at_once(tmp_path / f"{number}.db")


def _open_at_once(path: Path) -> None:
    together = threading.Barrier(_AT_ONCE)

    def open_one(_: int) -> str:
        connection = sqlite3.connect(path)
        together.wait()
        prepare_sqlite(connection)
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
        connection.close()
        return mode

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        assert set(threads.map(open_one, range(_AT_ONCE))) == {"wal"}


class Refusing(sqlite3.Cursor):
    """Refuses to change the journal a few times, for one reason."""

    def __init__(self, connection: sqlite3.Connection, *, code: int, times: int) -> None:
        super().__init__(connection)
        self.code, self.times = code, times

    def execute(self, sql: str, *_arguments: object) -> sqlite3.Cursor:
        if "journal_mode" in sql and self.times:
            self.times -= 1
            error = sqlite3.OperationalError("no")
            error.sqlite_errorcode = self.code
            raise error
        return super().execute(sql)


def _prepare(path: Path, *, code: int, times: int) -> Refusing:
    class Connection(sqlite3.Connection):
        def cursor(self, *_arguments: object) -> Refusing:  # type: ignore[override]
            return cursor

    connection = Connection(path)
    cursor = Refusing(connection, code=code, times=times)
    prepare_sqlite(connection)
    return cursor


def test_a_busy_ledger_is_asked_again(tmp_path: Path) -> None:
    assert _prepare(tmp_path / "l.db", code=sqlite3.SQLITE_BUSY, times=3).times == 0


def test_a_ledger_that_cannot_be_written_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        _prepare(tmp_path / "l.db", code=sqlite3.SQLITE_READONLY, times=2)
