"""The extract stage: batches of chunks with their own leases; the last one done ends it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, case, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import TaskNotFoundError
from shared.ids import TaskId
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms, statement_start_ms
from shared.ledger.engine import Database
from shared.ledger.records import (
    Batch,
    BatchClaim,
    BatchKey,
    Lease,
    LeaseStatus,
    Task,
    TaskState,
)
from shared.ledger.rows import NO_LEASE, failed, reason, to_batch
from shared.ledger.sweeping import expire_batch_leases
from shared.ledger.tables import batches, tasks


class Batches:
    """What extract workers and the committer do with batches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, task_id: TaskId, prepare_attempt: int, *, index: int, holder: str, ttl_ms: int
    ) -> BatchClaim | None:
        """Take an open batch of a task that is being extracted; None: nothing to do here."""
        key = BatchKey(task_id, prepare_attempt, index)
        free = or_(batches.c.lease_until_ms.is_(None), batches.c.lease_until_ms <= now_ms())
        statement = (
            update(batches)
            .where(_is(key), free, is_due(batches.c.next_attempt_at_ms), _is_wanted(key))
            .values(
                strikes=batches.c.strikes
                + case((batches.c.lease_until_ms.is_not(None), 1), else_=0),
                lease_holder=holder,
                lease_token=batches.c.lease_token + 1,
                lease_until_ms=now_ms() + ttl_ms,
            )
            .returning(batches.c.lease_token, batches.c.lease_until_ms, batches.c.strikes)
        )
        async with self._database.single() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        lease = Lease(holder=holder, token=row.lease_token, until_ms=row.lease_until_ms)
        return BatchClaim(task_id, prepare_attempt, index, lease=lease, strikes=row.strikes)

    async def renew(self, claim: BatchClaim, *, ttl_ms: int) -> LeaseStatus:
        """Keep the lease; LOST also means that the task was cancelled or superseded."""
        statement = (
            update(batches)
            .where(_is_ours(claim), _is_wanted(_key(claim)))
            .values(lease_until_ms=now_ms() + ttl_ms)
        )
        async with self._database.single() as connection:
            kept = (await connection.execute(statement)).rowcount == 1
        return LeaseStatus.HELD if kept else LeaseStatus.LOST

    async def load(self, claim: BatchClaim) -> Batch:
        """Return the chunks to extract.

        Raises:
            TaskNotFoundError: the batch was removed meanwhile.
        """
        async with self._database.reading() as connection:
            found = await connection.execute(select(batches).where(_matches(_key(claim))))
            row = found.one_or_none()
        if row is None:
            raise TaskNotFoundError
        return to_batch(row)

    async def finish(self, claim: BatchClaim, *, result: bytes) -> bool:
        """Keep a result; True for the one caller whose batch was the last: the task is ready."""
        async with self._database.writing() as connection:
            if not await _lock_extracting_task(connection, claim):
                return False
            flipped = await connection.execute(
                update(batches)
                .where(_is_ours(claim))
                .values(**NO_LEASE, done=True, result=result)
                .returning(batches.c.chunk_count - batches.c.chunks_done)
            )
            untold = flipped.scalar_one_or_none()
            if untold is None:
                return False
            return await _count_down(connection, claim, chunks_done=untold)

    async def report_progress(self, claim: BatchClaim, *, chunks_done: int) -> None:
        """Show people how far the batch came; what an earlier attempt told already stays."""
        async with self._database.writing() as connection:
            if not await _lock_extracting_task(connection, claim):
                return
            is_news = and_(_is_ours(claim), batches.c.chunks_done < chunks_done)
            found = await connection.execute(select(batches.c.chunks_done).where(is_news))
            told = found.scalar_one_or_none()
            if told is None:
                return
            await connection.execute(update(batches).where(is_news).values(chunks_done=chunks_done))
            more = tasks.c.chunks_done + (chunks_done - told)
            await connection.execute(
                update(tasks)
                .where(tasks.c.id == claim.task_id)
                .values(chunks_done=more, updated_at_ms=now_ms())
            )

    async def postpone(
        self, claim: BatchClaim, *, delay_ms: int, error_code: str, error_detail: str, strike: bool
    ) -> None:
        """Put the batch back and show the reason on its task."""
        async with self._database.writing() as connection:
            if not await _lock_extracting_task(connection, claim):
                return
            put_back = await connection.execute(
                update(batches)
                .where(_is_ours(claim))
                .values(
                    **NO_LEASE,
                    strikes=batches.c.strikes + int(strike),
                    next_attempt_at_ms=now_ms() + delay_ms,
                    message_sent_at_ms=0,
                )
            )
            if put_back.rowcount:
                await connection.execute(
                    update(tasks)
                    .where(tasks.c.id == claim.task_id)
                    .values(**reason(error_code, error_detail), updated_at_ms=now_ms())
                )

    async def fail(self, claim: BatchClaim, *, error_code: str, error_detail: str) -> None:
        """Give the whole task up."""
        async with self._database.writing() as connection:
            if not await _lock_extracting_task(connection, claim):
                return
            dropped = await connection.execute(
                update(batches).where(_is_ours(claim)).values(**NO_LEASE)
            )
            if dropped.rowcount:
                await connection.execute(
                    update(tasks)
                    .where(tasks.c.id == claim.task_id)
                    .values(**failed(error_code, error_detail))
                )

    async def unsent(self, *, older_than_ms: int, limit: int) -> list[BatchKey]:
        """List free, due batches without a message, or whose message is this old."""
        statement = (
            select(batches.c.task_id, batches.c.prepare_attempt, batches.c.batch_index)
            .join(tasks, tasks.c.id == batches.c.task_id)
            .where(
                ~batches.c.done,
                batches.c.message_sent_at_ms <= statement_start_ms() - older_than_ms,
                batches.c.lease_until_ms.is_(None),
                is_due(batches.c.next_attempt_at_ms),
                tasks.c.state == TaskState.EXTRACTING,
                tasks.c.prepare_attempt == batches.c.prepare_attempt,
            )
            .order_by(batches.c.message_sent_at_ms, batches.c.task_id, batches.c.batch_index)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return [BatchKey(TaskId(row[0]), row[1], row[2]) for row in rows]

    async def mark_sent(
        self, task_id: TaskId, prepare_attempt: int, *, indexes: Sequence[int]
    ) -> None:
        """Note that these batches' messages were sent just now."""
        statement = (
            update(batches)
            .where(
                batches.c.task_id == task_id,
                batches.c.prepare_attempt == prepare_attempt,
                batches.c.batch_index.in_(indexes),
            )
            .values(message_sent_at_ms=now_ms())
        )
        async with self._database.single() as connection:
            await connection.execute(statement)

    async def results(self, task_id: TaskId, prepare_attempt: int) -> list[Batch]:
        """Return all batches of an attempt in the order of the text."""
        statement = (
            select(batches)
            .where(batches.c.task_id == task_id, batches.c.prepare_attempt == prepare_attempt)
            .order_by(batches.c.batch_index)
        )
        async with self._database.reading() as connection:
            return [to_batch(row) for row in (await connection.execute(statement)).all()]

    async def results_of(self, prepared: Sequence[Task]) -> dict[TaskId, list[Batch]]:
        """Return the batches of several tasks, each in the order of the text, in one statement."""
        attempts = [(task.id, task.prepare_attempt) for task in prepared]
        statement = (
            select(batches)
            .where(tuple_(batches.c.task_id, batches.c.prepare_attempt).in_(attempts))
            .order_by(batches.c.task_id, batches.c.batch_index)
        )
        found: dict[TaskId, list[Batch]] = {task.id: [] for task in prepared}
        async with self._database.reading() as connection:
            for row in (await connection.execute(statement)).all():
                found[TaskId(row.task_id)].append(to_batch(row))
        return found

    async def expire_leases(self, *, max_strikes: int, limit: int) -> int:
        """Free the batches of silent workers; count them. Too many strikes fail the task."""
        return await expire_batch_leases(self._database, max_strikes=max_strikes, limit=limit)


def _key(claim: BatchClaim) -> BatchKey:
    return BatchKey(claim.task_id, claim.prepare_attempt, claim.index)


def _matches(key: BatchKey) -> ColumnElement[bool]:
    return and_(
        batches.c.task_id == key.task_id,
        batches.c.prepare_attempt == key.prepare_attempt,
        batches.c.batch_index == key.index,
    )


def _is(key: BatchKey) -> ColumnElement[bool]:
    return and_(_matches(key), ~batches.c.done)


def _is_ours(claim: BatchClaim) -> ColumnElement[bool]:
    return and_(
        _is(_key(claim)),
        batches.c.lease_token == claim.lease.token,
        batches.c.lease_until_ms.is_not(None),
    )


def _is_wanted(key: BatchKey) -> ColumnElement[bool]:
    return (
        select(tasks.c.id)
        .where(
            tasks.c.id == key.task_id,
            tasks.c.state == TaskState.EXTRACTING,
            tasks.c.prepare_attempt == key.prepare_attempt,
        )
        .exists()
    )


async def _lock_extracting_task(connection: AsyncConnection, claim: BatchClaim) -> bool:
    # Task before batch, everywhere: that order is what keeps transactions from deadlocking.
    statement = (
        select(tasks.c.id)
        .where(
            tasks.c.id == claim.task_id,
            tasks.c.state == TaskState.EXTRACTING,
            tasks.c.prepare_attempt == claim.prepare_attempt,
        )
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def _count_down(connection: AsyncConnection, claim: BatchClaim, *, chunks_done: int) -> bool:
    is_last = tasks.c.open_batches == 1
    statement = (
        update(tasks)
        .where(tasks.c.id == claim.task_id)
        .values(
            open_batches=tasks.c.open_batches - 1,
            chunks_done=tasks.c.chunks_done + chunks_done,
            state=case((is_last, TaskState.READY.value), else_=tasks.c.state),
            ready_at_ms=case((is_last, now_ms()), else_=tasks.c.ready_at_ms),
            error_code=None,
            error_detail=None,
            updated_at_ms=now_ms(),
        )
        .returning(tasks.c.open_batches)
    )
    left: int = (await connection.execute(statement)).scalar_one()
    return left == 0
