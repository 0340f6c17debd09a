"""The prepare stage of a task: one worker claims it, keeps its lease, and hands on what it made."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, insert, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import TaskId
from shared.ledger.clock import now_ms
from shared.ledger.records import (
    Claim,
    DoneBatch,
    Lease,
    LeaseStatus,
    NewBatch,
    TaskKind,
    TaskState,
)
from shared.ledger.rows import NO_LEASE, ended, failed, reason, to_task
from shared.ledger.tables import batches, tasks


async def claim(
    connection: AsyncConnection, task_id: TaskId, *, holder: str, ttl_ms: int
) -> Claim | None:
    """Take a waiting task, or one whose worker fell silent; the token fences the one before."""
    waiting = and_(tasks.c.state == TaskState.QUEUED, is_due(tasks.c.next_attempt_at_ms))
    abandoned = and_(tasks.c.state == TaskState.PREPARING, tasks.c.lease_until_ms <= now_ms())
    statement = (
        update(tasks)
        .where(
            tasks.c.id == task_id,
            tasks.c.kind == TaskKind.INSERT,
            ~tasks.c.cancel_requested,
            or_(waiting, abandoned),
        )
        .values(
            state=TaskState.PREPARING,
            attempt=tasks.c.attempt + 1,
            strikes=tasks.c.strikes + case((tasks.c.state == TaskState.PREPARING, 1), else_=0),
            lease_holder=holder,
            lease_token=tasks.c.lease_token + 1,
            lease_until_ms=now_ms() + ttl_ms,
            started_at_ms=case(
                (tasks.c.started_at_ms.is_(None), now_ms()), else_=tasks.c.started_at_ms
            ),
            updated_at_ms=now_ms(),
        )
        .returning(tasks)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    lease = Lease(holder=holder, token=row.lease_token, until_ms=row.lease_until_ms)
    return Claim(task=to_task(row), lease=lease)


async def renew(connection: AsyncConnection, claimed: Claim, *, ttl_ms: int) -> LeaseStatus:
    """Keep the lease; an expired one that nobody took is still ours."""
    statement = (
        update(tasks)
        .where(_is_ours(claimed))
        .values(lease_until_ms=now_ms() + ttl_ms)
        .returning(tasks.c.cancel_requested)
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return LeaseStatus.LOST
    return LeaseStatus.CANCEL_REQUESTED if row.cancel_requested else LeaseStatus.HELD


async def start_extracting(
    connection: AsyncConnection, claimed: Claim, *, new_batches: Sequence[NewBatch]
) -> bool:
    """Hand the chunks on in batches; from here on the batches have leases, the task has none."""
    if not new_batches:
        sentence = "A task without batches would never end; use make_ready."
        raise ValueError(sentence)
    handed_on = {
        "state": TaskState.EXTRACTING,
        "chunks_total": sum(batch.chunk_count for batch in new_batches),
        "chunks_done": 0,
        "open_batches": len(new_batches),
    }
    if not await _hand_on(connection, claimed, values=handed_on):
        return False
    await _replace_batches(connection, claimed, rows=[_batch_row(batch) for batch in new_batches])
    return True


async def make_ready(
    connection: AsyncConnection, claimed: Claim, *, batches_done: Sequence[DoneBatch]
) -> bool:
    """Hand a document that was extracted on the spot to the committer."""
    chunk_count = sum(batch.chunk_count for batch in batches_done)
    handed_on = {
        "state": TaskState.READY,
        "ready_at_ms": now_ms(),
        "chunks_total": chunk_count,
        "chunks_done": chunk_count,
        "open_batches": 0,
    }
    if not await _hand_on(connection, claimed, values=handed_on):
        return False
    rows = [{**_batch_row(batch), "result": batch.result, "done": True} for batch in batches_done]
    await _replace_batches(connection, claimed, rows=rows)
    return True


async def report_progress(
    connection: AsyncConnection, claimed: Claim, *, chunks_done: int, chunks_total: int
) -> None:
    """Show people how far the attempt came."""
    await connection.execute(
        update(tasks)
        .where(_is_ours(claimed))
        .values(chunks_done=chunks_done, chunks_total=chunks_total, updated_at_ms=now_ms())
    )


async def postpone(
    connection: AsyncConnection,
    claimed: Claim,
    *,
    delay_ms: int,
    error_code: str,
    error_detail: str,
    strike: bool,
) -> None:
    """Put the task back, unless somebody wanted it stopped: then this is the end of it."""
    last_error = reason(error_code, error_detail)
    stopped = await connection.execute(
        update(tasks)
        .where(_is_ours(claimed), tasks.c.cancel_requested)
        .values(**ended(TaskState.CANCELLED), **last_error)
    )
    if stopped.rowcount:
        return
    await connection.execute(
        update(tasks)
        .where(_is_ours(claimed))
        .values(
            **NO_LEASE,
            **last_error,
            state=TaskState.QUEUED,
            strikes=tasks.c.strikes + int(strike),
            next_attempt_at_ms=now_ms() + delay_ms,
            message_sent_at_ms=0,
            updated_at_ms=now_ms(),
        )
    )


async def fail(
    connection: AsyncConnection, claimed: Claim, *, error_code: str, error_detail: str
) -> None:
    """Give the task up."""
    await connection.execute(
        update(tasks).where(_is_ours(claimed)).values(**failed(error_code, error_detail))
    )


async def confirm_cancel(connection: AsyncConnection, claimed: Claim) -> None:
    """End a task that was asked to stop."""
    await connection.execute(
        update(tasks)
        .where(_is_ours(claimed), tasks.c.cancel_requested)
        .values(**ended(TaskState.CANCELLED))
    )


def is_due(next_attempt_at_ms: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a postponed row's time has come."""
    return or_(next_attempt_at_ms.is_(None), next_attempt_at_ms <= now_ms())


def _is_ours(claimed: Claim) -> ColumnElement[bool]:
    # The state too: the sweeper, a cancel or a newer revision end a lease without taking it.
    return and_(
        tasks.c.id == claimed.task.id,
        tasks.c.state == TaskState.PREPARING,
        tasks.c.lease_token == claimed.lease.token,
    )


async def _hand_on(
    connection: AsyncConnection, claimed: Claim, *, values: dict[str, object]
) -> bool:
    statement = (
        update(tasks)
        .where(_is_ours(claimed), ~tasks.c.cancel_requested)
        .values(
            **NO_LEASE,
            **values,
            prepare_attempt=claimed.lease.token,
            strikes=0,
            next_attempt_at_ms=None,
            error_code=None,
            error_detail=None,
            updated_at_ms=now_ms(),
        )
    )
    if (await connection.execute(statement)).rowcount == 1:
        return True
    # The worker is done and renews no more: nobody else would end it before its lease does.
    await confirm_cancel(connection, claimed)
    return False


def _batch_row(batch: NewBatch | DoneBatch) -> dict[str, object]:
    return {
        "batch_index": batch.index,
        "chunk_count": batch.chunk_count,
        "chunks": batch.chunks,
    }


async def _replace_batches(
    connection: AsyncConnection, claimed: Claim, *, rows: list[dict[str, object]]
) -> None:
    if claimed.lease.token > 1:  # the first claim has no earlier attempt's batches to remove
        await connection.execute(delete(batches).where(batches.c.task_id == claimed.task.id))
    keys = {"task_id": claimed.task.id, "prepare_attempt": claimed.lease.token}
    if rows:
        await connection.execute(insert(batches), [{**keys, **row} for row in rows])
