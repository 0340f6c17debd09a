"""Full disks, told apart from servers that are away: drivers and LightRAG wrap them in others."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import redis.exceptions

from ops.migrate.errors import TargetFullError, TargetUnwritableError
from shared.errors import InvalidInputError, SettingsError

# No space, no quota, larger than a file may be.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What SQLite says of a quota or a limit of sizes is the second.
_SQLITE_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


@contextmanager
def full_disks_told() -> Iterator[None]:
    """Say that a disk is full, where this is what an error began with.

    Raises:
        TargetFullError: in place of what was raised because of it.
    """
    try:
        yield
    except (SettingsError, InvalidInputError):
        raise
    except Exception as error:
        if place := _full_place_behind(error):
            sentence = f"No space is left {place}; free some and give the same command again."
            raise TargetFullError(sentence) from error
        raise


@contextmanager
def writable(target: object) -> Iterator[None]:
    """Say that a target cannot be written, and why.

    Args:
        target: printed as people call it.

    Raises:
        TargetUnwritableError: in place of what the system said, unless the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise TargetUnwritableError(f"{target} cannot be written: {error.strerror}.") from error


def _full_place_behind(error: BaseException) -> str:
    """Say where something is full, from an error or what caused it; empty: nothing is."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return f"for {seen.filename}" if seen.filename else "on the disk of the target"
        if getattr(seen, "sqlite_errorcode", None) in _SQLITE_FULL:
            return "for the ledger's file in DATA_DIR, or its disk fails"
        if isinstance(seen, asyncpg.DiskFullError):
            return "on PostgreSQL's disk"
        if isinstance(seen, redis.exceptions.OutOfMemoryError):
            return "in Redis (maxmemory)"
        inside = getattr(seen, "orig", None)
        if isinstance(inside, BaseException) and (place := _full_place_behind(inside)):
            return place
        seen = seen.__cause__ or seen.__context__
    return ""
