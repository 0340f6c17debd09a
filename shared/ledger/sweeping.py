"""What the sweeper looks for: lost messages, silent workers, rows nobody needs any more."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import AttemptsExhaustedError
from shared.ids import ObjectKey
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms, statement_start_ms
from shared.ledger.engine import Database
from shared.ledger.records import Task, TaskState
from shared.ledger.rows import ENDED_STATES, NO_LEASE, ended, failed, is_in, to_task
from shared.ledger.tables import batches, documents, model_usage, tasks
from shared.ledger.usage import OF_TASKS

_SENTENCE = "The worker stopped without a word too many times; see the log, then retry the task."


async def unsent_tasks(
    connection: AsyncConnection, *, older_than_ms: int, limit: int
) -> list[Task]:
    """List queued, due tasks without a message, or whose message is this old."""
    statement = (
        select(tasks)
        .where(
            is_in(TaskState.QUEUED),
            tasks.c.message_sent_at_ms <= statement_start_ms() - older_than_ms,
            is_due(tasks.c.next_attempt_at_ms),
        )
        .order_by(tasks.c.message_sent_at_ms, tasks.c.id)
        .limit(limit)
    )
    return [to_task(row) for row in (await connection.execute(statement)).all()]


async def expire_task_leases(
    connection: AsyncConnection, *, max_strikes: int, limit: int
) -> list[Task]:
    """Queue, cancel or fail tasks whose worker fell silent; return them as they are now."""
    silent = and_(is_in(TaskState.PREPARING), tasks.c.lease_until_ms <= statement_start_ms())
    rows = await connection.execute(
        select(tasks.c.id, tasks.c.strikes, tasks.c.cancel_requested)
        .where(silent)
        .order_by(tasks.c.lease_until_ms)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    queued = {
        **NO_LEASE,
        "state": TaskState.QUEUED,
        "next_attempt_at_ms": None,
        "message_sent_at_ms": 0,
        "updated_at_ms": now_ms(),
    }
    changed: list[Task] = []
    for row in rows.all():
        values = queued
        if row.cancel_requested:
            values = ended(TaskState.CANCELLED)
        elif row.strikes + 1 > max_strikes:
            values = failed(AttemptsExhaustedError.code, _SENTENCE)
        statement = (
            update(tasks)
            .where(tasks.c.id == row.id)
            .values(**values, strikes=tasks.c.strikes + 1)
            .returning(tasks)
        )
        changed.append(to_task((await connection.execute(statement)).one()))
    return changed


async def expire_batch_leases(database: Database, *, max_strikes: int, limit: int) -> int:
    """Free batches whose worker fell silent, and fail the tasks of those that did so too often."""
    silent = and_(~batches.c.done, batches.c.lease_until_ms <= statement_start_ms())
    keys = (batches.c.task_id, batches.c.prepare_attempt, batches.c.batch_index)
    async with database.reading() as connection:
        found = await connection.execute(
            select(*keys).where(silent).order_by(batches.c.lease_until_ms).limit(limit)
        )
        rows = found.all()
    freed = 0
    for task_id, prepare_attempt, index in rows:
        this = and_(
            batches.c.task_id == task_id,
            batches.c.prepare_attempt == prepare_attempt,
            batches.c.batch_index == index,
        )
        # One transaction each: several locked tasks at once could deadlock with an upload.
        async with database.writing() as connection:
            freed += await _free_batch(connection, and_(this, silent), max_strikes=max_strikes)
    return freed


async def _free_batch(
    connection: AsyncConnection, silent: ColumnElement[bool], *, max_strikes: int
) -> int:
    owner = select(batches.c.task_id).where(silent).scalar_subquery()
    await connection.execute(select(tasks.c.id).where(tasks.c.id == owner).with_for_update())
    freed = await connection.execute(
        update(batches)
        .where(silent)
        .values(**NO_LEASE, strikes=batches.c.strikes + 1, message_sent_at_ms=0)
        .returning(batches.c.task_id, batches.c.prepare_attempt, batches.c.strikes)
    )
    row = freed.one_or_none()
    if row is None:
        return 0
    if row.strikes > max_strikes:
        await connection.execute(
            update(tasks)
            .where(
                tasks.c.id == row.task_id,
                tasks.c.state == TaskState.EXTRACTING,
                tasks.c.prepare_attempt == row.prepare_attempt,
            )
            .values(**failed(AttemptsExhaustedError.code, _SENTENCE))
        )
    return 1


async def remove_old(connection: AsyncConnection, *, ended_before_ms: int, limit: int) -> int:
    """Remove ended tasks nobody can ask back with their accounts, and batches of ended tasks."""
    final = tasks.c.finished_at_ms.is_not(None)
    spent = (
        select(batches.c.task_id)
        .join(tasks, tasks.c.id == batches.c.task_id)
        .where(final)
        .distinct()
        .limit(limit)
    )
    await connection.execute(delete(batches).where(batches.c.task_id.in_(spent)))
    old = (
        select(tasks.c.id)
        .where(final, tasks.c.finished_at_ms < ended_before_ms, ~_is_of_use())
        .order_by(tasks.c.finished_at_ms)
        .limit(limit)
        .with_for_update(skip_locked=True, of=tasks)
    )
    removal = delete(tasks).where(tasks.c.id.in_(old)).returning(tasks.c.id)
    removed = (await connection.execute(removal)).scalars().all()
    if removed:
        theirs = model_usage.c.task_id.in_(removed)
        await connection.execute(delete(model_usage).where(theirs, OF_TASKS))
    return len(removed)


async def referenced_objects(
    connection: AsyncConnection, keys: Sequence[ObjectKey]
) -> set[ObjectKey]:
    """Return those keys whose bytes an open, retryable or committed task still refers to."""
    statement = select(tasks.c.object_key).where(
        tasks.c.object_key.in_(keys),
        or_(tasks.c.state.not_in(ENDED_STATES), _is_of_use()),
    )
    return {ObjectKey(key) for key in (await connection.execute(statement)).scalars()}


def _is_of_use() -> ColumnElement[bool]:
    return (
        select(documents.c.doc_id)
        .where(
            documents.c.workspace == tasks.c.workspace,
            documents.c.doc_id == tasks.c.doc_id,
            or_(
                documents.c.latest_task_id == tasks.c.id,
                documents.c.committed_task_id == tasks.c.id,
            ),
        )
        .exists()
    )
