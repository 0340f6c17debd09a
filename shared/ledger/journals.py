"""Redo journals: written in one piece with the tasks they are about, applied, closed, kept a while.

A journal holds what a group leaves in LightRAG's stores. As long as it is open, whoever holds the
workspace's lease applies it before anything else; applying it twice changes nothing.
"""

import json
from collections.abc import AsyncIterator, Sequence

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import JournalRemovedError
from shared.ids import PhysicalWorkspace, TaskId
from shared.ledger import commit_leases, commits
from shared.ledger.clock import now_ms, statement_start_ms
from shared.ledger.engine import Database
from shared.ledger.hold_rows import is_kept
from shared.ledger.records import CommitLease, Journal, Outcome
from shared.ledger.revisions import insert_unless_there
from shared.ledger.rows import AnyRow, storable
from shared.ledger.tables import journal_parts, journals, quarantine


class Journals:
    """What a committer, and the cleaner, do with journals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self, lease: CommitLease, outcome: Outcome, parts: Sequence[bytes]
    ) -> Journal | None:
        """Write a journal down and make its tasks uncancellable, both or neither.

        Args:
            lease: of the workspace.
            outcome: what becomes of the tasks when the journal is applied.
            parts: encoded operations, in the order in which they are applied.

        Returns:
            None when the lease was lost, or a task of the group was cancelled or overtaken.
        """
        try:
            async with self._database.writing() as connection:
                return await _write(connection, lease, outcome, parts)
        except _NotWrittenError:
            return None

    async def unfinished(self, physical: PhysicalWorkspace) -> Journal | None:
        """Return the journal that was written and not closed, if there is one."""
        statement = select(journals).where(
            journals.c.physical == physical, journals.c.closed_at_ms.is_(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else _to_journal(row)

    async def last_seq(self, physical: PhysicalWorkspace) -> int:
        """Return the number of the last closed journal; 0 when there was none."""
        statement = select(func.coalesce(func.max(journals.c.seq), 0)).where(
            journals.c.physical == physical, journals.c.closed_at_ms.is_not(None)
        )
        async with self._database.reading() as connection:
            last: int = (await connection.execute(statement)).scalar_one()
        return last

    async def closed_after(self, physical: PhysicalWorkspace, seq: int) -> list[Journal]:
        """List the closed journals that are kept and younger than `seq`, oldest first."""
        statement = (
            select(journals)
            .where(
                journals.c.physical == physical,
                journals.c.seq > seq,
                journals.c.closed_at_ms.is_not(None),
            )
            .order_by(journals.c.seq)
        )
        async with self._database.reading() as connection:
            return [_to_journal(row) for row in (await connection.execute(statement)).all()]

    async def parts(self, journal: Journal) -> AsyncIterator[bytes]:
        """Give the parts one by one, each of a few megabytes.

        Raises:
            JournalRemovedError: after the last part, when some were removed meanwhile.
        """
        part = 0
        size_bytes = 0
        while True:
            statement = select(journal_parts.c.operations).where(
                journal_parts.c.physical == journal.physical,
                journal_parts.c.seq == journal.seq,
                journal_parts.c.part == part,
            )
            async with self._database.reading() as connection:
                operations = (await connection.execute(statement)).scalar_one_or_none()
            if operations is None:
                break
            yield operations
            part += 1
            size_bytes += len(operations)
        # A store must not count as repaired with a journal that the cleaner took away.
        if size_bytes != journal.size_bytes:
            raise JournalRemovedError

    async def close(self, lease: CommitLease, journal: Journal) -> bool:
        """End an applied journal and its tasks in one piece; False: the lease was lost."""
        async with self._database.writing() as connection:
            if not await commit_leases.hold(connection, lease):
                return False
            closed = await connection.execute(
                update(journals)
                .where(_is(journal), journals.c.closed_at_ms.is_(None))
                .values(closed_at_ms=now_ms())
            )
            if closed.rowcount:
                await _settle(connection, lease, journal.outcome)
            return True

    async def quarantine(
        self, journal: Journal, *, digest: str, operation: bytes, why: str
    ) -> None:
        """Keep an operation that no store takes, once, for a person to look at."""
        async with self._database.single() as connection:
            await connection.execute(
                insert_unless_there(connection, quarantine).values(
                    physical=journal.physical,
                    seq=journal.seq,
                    digest=digest,
                    operation=operation,
                    reason=storable(why),
                    found_at_ms=now_ms(),
                )
            )

    async def remove_old(self, *, closed_for_ms: int, limit: int) -> int:
        """Remove journals closed this long ago, but none that a copy needs, nor a workspace's last.

        Returns:
            How many were looked at; some of them may have become needed meanwhile.
        """
        newer = journals.alias("newer")
        has_newer = (
            select(newer.c.seq)
            .where(newer.c.physical == journals.c.physical, newer.c.seq > journals.c.seq)
            .exists()
        )
        old = (
            select(journals.c.physical, journals.c.seq)
            .where(
                journals.c.closed_at_ms < statement_start_ms() - closed_for_ms,
                has_newer,
                ~is_kept(),
            )
            .order_by(journals.c.closed_at_ms)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(old)).all()
        for row in rows:
            async with self._database.single() as connection:
                await connection.execute(
                    delete(journals).where(
                        journals.c.physical == row.physical, journals.c.seq == row.seq, ~is_kept()
                    )
                )
        return len(rows)


class _NotWrittenError(Exception):
    """Rolls the transaction back."""


async def _write(
    connection: AsyncConnection, lease: CommitLease, outcome: Outcome, parts: Sequence[bytes]
) -> Journal:
    if not await commit_leases.hold(connection, lease):
        raise _NotWrittenError
    if not await commits.move_to_committing(connection, lease, outcome.task_ids):
        raise _NotWrittenError
    last = select(func.coalesce(func.max(journals.c.seq), 0)).where(
        journals.c.physical == lease.physical
    )
    seq: int = (await connection.execute(last)).scalar_one() + 1
    size_bytes = sum(map(len, parts))
    await connection.execute(
        insert(journals).values(
            physical=lease.physical,
            seq=seq,
            lease_token=lease.token,
            outcome=_encode(outcome),
            size_bytes=size_bytes,
            written_at_ms=now_ms(),
        )
    )
    for part, operations in enumerate(parts):
        await connection.execute(
            insert(journal_parts).values(
                physical=lease.physical, seq=seq, part=part, operations=operations
            )
        )
    return Journal(lease.physical, seq=seq, outcome=outcome, size_bytes=size_bytes)


async def _settle(connection: AsyncConnection, lease: CommitLease, outcome: Outcome) -> None:
    if outcome.succeeded:
        await commits.succeed(connection, lease, outcome.succeeded)
    for task_id, committed_chunks in outcome.advanced.items():
        await commits.advance(connection, lease, task_id, committed_chunks=committed_chunks)
    for task_id, (code, detail) in outcome.failed.items():
        await commits.fail(connection, lease, task_id, error_code=code, error_detail=detail)


def _is(journal: Journal) -> ColumnElement[bool]:
    return and_(journals.c.physical == journal.physical, journals.c.seq == journal.seq)


def _encode(outcome: Outcome) -> bytes:
    return json.dumps(
        {
            "succeeded": outcome.succeeded,
            "advanced": outcome.advanced,
            "failed": outcome.failed,
        }
    ).encode()


def _to_journal(row: AnyRow) -> Journal:
    kept = json.loads(row.outcome)
    outcome = Outcome(
        succeeded=[TaskId(task_id) for task_id in kept["succeeded"]],
        advanced={TaskId(task_id): count for task_id, count in kept["advanced"].items()},
        failed={TaskId(task_id): tuple(why) for task_id, why in kept["failed"].items()},
    )
    return Journal(
        PhysicalWorkspace(row.physical), seq=row.seq, outcome=outcome, size_bytes=row.size_bytes
    )
