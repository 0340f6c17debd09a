"""What is known of single items while a workspace is copied, on the disk: there may be millions."""

import errno
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from ops.migrate.sections import Key

_PREPARE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = MEMORY;
CREATE TABLE listed (section TEXT, key TEXT, PRIMARY KEY (section, key)) WITHOUT ROWID;
CREATE TABLE touched (section TEXT, key TEXT, PRIMARY KEY (section, key)) WITHOUT ROWID;
CREATE TABLE changed (section TEXT, key TEXT, put BLOB, PRIMARY KEY (section, key)) WITHOUT ROWID;
CREATE TABLE history (number INTEGER PRIMARY KEY, entries BLOB);
"""
_TOUCH = "INSERT OR IGNORE INTO touched VALUES (?, ?)"
_TAKE = "SELECT key FROM touched WHERE section = ? ORDER BY key LIMIT ?"
_LEAVE = "DELETE FROM touched WHERE section = ? AND key <= ?"
_LIST = "INSERT OR IGNORE INTO listed VALUES (?, ?)"
_ADD_HISTORY = "INSERT INTO history (entries) VALUES (?)"
_CHANGE = "INSERT OR REPLACE INTO changed VALUES (?, ?, ?)"


class Items:
    """A SQLite file without a name: the kernel removes it however this process ends."""

    def __init__(self, folder: Path) -> None:
        """Make it.

        Raises:
            OSError: the disk is full, or the folder is not there.
        """
        file, name = mkstemp(dir=folder)
        os.close(file)
        try:
            self._database = sqlite3.connect(name, isolation_level=None)
            with _translated():
                self._database.executescript(_PREPARE)
        finally:
            Path(name).unlink()

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def touch(self, section: str, keys: Iterable[Key]) -> None:
        """Note items that have to be read again."""
        self._write(_TOUCH, ((section, _text(key)) for key in keys))

    def touched(self, section: str, *, page: int) -> Iterator[list[Key]]:
        """Take the items of a section out that have to be read again, in pages."""
        while rows := self._read(_TAKE, section, page):
            self._write(_LEAVE, [(section, rows[-1][0])])
            yield [_key(text) for (text,) in rows]

    def note_read(self, section: str, keys: Iterable[Key]) -> None:
        """Note that items were read."""
        self._write(_LIST, ((section, _text(key)) for key in keys))

    def unlisted(self, section: str, keys: Sequence[Key]) -> list[Key]:
        """Return those of a page of items that were not read yet."""
        listed = self._which("listed", section, keys)
        return [key for key in keys if _text(key) not in listed]

    def change(self, section: str, puts: Iterable[tuple[Key, bytes | None]]) -> None:
        """Note what items are now; None: they are gone."""
        self._write(_CHANGE, ((section, _text(key), put) for key, put in puts))

    def changed(self, section: str, keys: Sequence[Key]) -> set[Key]:
        """Return those of a page of items that are not any more what they were at first."""
        return {_key(text) for text in self._which("changed", section, keys)}

    def puts(self, section: str) -> Iterator[bytes]:
        """Give what the changed items of a section are now."""
        statement = "SELECT put FROM changed WHERE section = ? AND put IS NOT NULL ORDER BY key"
        with _translated():
            yield from (put for (put,) in self._database.execute(statement, (section,)))

    def add_history(self, entries: bytes) -> None:
        """Keep a page of documents with their tasks."""
        self._write(_ADD_HISTORY, [(entries,)])

    def history(self) -> Iterator[bytes]:
        """Give the pages in their order."""
        with _translated():
            for (entries,) in self._database.execute("SELECT entries FROM history ORDER BY number"):
                yield entries

    def _which(self, table: str, section: str, keys: Sequence[Key]) -> set[str]:
        places = ", ".join("?" * len(keys))
        statement = f"SELECT key FROM {table} WHERE section = ? AND key IN ({places})"  # noqa: S608 - constants
        return {text for (text,) in self._read(statement, section, *map(_text, keys))}

    def _read(self, statement: str, *values: object) -> list[tuple[str]]:
        with _translated():
            return self._database.execute(statement, values).fetchall()

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        with _translated():
            self._database.execute("BEGIN")
            self._database.executemany(statement, rows)
            self._database.execute("COMMIT")


@contextmanager
def _translated() -> Iterator[None]:
    """Name what SQLite calls operational as the system does: nothing but the disk can fail here."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} ({error})") from error


def _text(key: Key) -> str:
    return json.dumps(key, ensure_ascii=False)


def _key(text: str) -> Key:
    return tuple(json.loads(text))
