"""The ledger of files mode: what SQLite needs to be told."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.ledger.engine import prepare_sqlite

_AT_ONCE = 8


def test_many_open_a_new_ledger_at_the_same_moment(tmp_path: Path) -> None:
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
