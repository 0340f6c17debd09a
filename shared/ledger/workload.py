"""How much work there is: what autoscaling, dashboards and alarms want to know of the ledger.

The ledger knows it better than the broker does. A message may be lost, or sent twice, and what a
killed worker had in hand counts as delivered for hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contract.names import QueueName
from shared.ledger import commit_leases
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms, statement_start_ms
from shared.ledger.engine import Database
from shared.ledger.records import TaskState
from shared.ledger.tables import batches, journals, tasks
from shared.ledger.tables import commit_leases as leases

# In which states a task is the business of which queue.
_STATES = {
    QueueName.PREPARE: (TaskState.QUEUED, TaskState.PREPARING),
    QueueName.EXTRACT: (TaskState.EXTRACTING,),
    QueueName.COMMIT: (TaskState.READY, TaskState.COMMITTING),
}
_QUEUE_OF = {state: queue for queue, states in _STATES.items() for state in states}
# More workspaces than this at once no fleet has workers for.
_MOST_WORKSPACES = 10_000


@dataclass(frozen=True)
class QueueWork:
    """What one stage has to do."""

    backlog: int
    """Pieces of work that could be done now or are in somebody's hands: documents (prepare),
    batches of chunks (extract), workspaces (commit). What waits for its next attempt is none."""
    oldest_task_age_s: float
    """How long ago its oldest task was begun, or asked for where it was not; 0 without any."""


@dataclass(frozen=True)
class WorkSeen:
    """The work of the whole installation at one moment."""

    queues: Mapping[QueueName, QueueWork]
    oldest_ready_s: float
    """How long the oldest task that waits for a commit has been ready; 0 without any."""
    open_journals: int
    """Groups of commits that are written down and not yet in all stores."""


class Workload:
    """A view of the ledger that changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> WorkSeen:
        """Count what there is to do.

        Raises:
            LedgerUnavailableError: the database did not answer.
        """
        async with self._database.reading() as connection:
            ages, documents, oldest_ready_s = await _tasks(connection)
            backlogs = {
                QueueName.PREPARE: documents,
                QueueName.EXTRACT: await _batches(connection),
                QueueName.COMMIT: await _workspaces(connection),
            }
            unfinished = select(func.count()).where(journals.c.closed_at_ms.is_(None))
            open_journals = (await connection.execute(unfinished)).scalar_one()
        return WorkSeen(
            queues={name: QueueWork(backlogs[name], ages[name]) for name in _STATES},
            oldest_ready_s=oldest_ready_s,
            open_journals=open_journals,
        )

    async def now_ms(self) -> int:
        """Return the database's time, which all rows are marked with, in Unix milliseconds."""
        async with self._database.reading() as connection:
            return int((await connection.execute(select(now_ms()))).scalar_one())

    async def failed_between(self, after_ms: int, until_ms: int) -> int:
        """Count the tasks that failed later than one Unix time and not later than another.

        A task that was retried since is not among them.
        """
        statement = select(func.count()).where(
            tasks.c.state == TaskState.FAILED,
            tasks.c.finished_at_ms > after_ms,
            tasks.c.finished_at_ms <= until_ms,
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(statement)).scalar_one())


async def _tasks(connection: AsyncConnection) -> tuple[dict[QueueName, float], int, float]:
    """Return the oldest ages by queue, the documents to prepare, and the longest readiness."""
    due = is_due(tasks.c.next_attempt_at_ms)
    # A retry by hand clears the start, and the clock begins anew.
    since = func.min(func.coalesce(tasks.c.started_at_ms, tasks.c.updated_at_ms))
    ready_since = func.min(tasks.c.ready_at_ms).filter(due)
    statement = (
        select(tasks.c.state, since, func.count().filter(due), ready_since, statement_start_ms())
        .where(tasks.c.state.in_(list(_QUEUE_OF)))
        .group_by(tasks.c.state)
    )
    ages = dict.fromkeys(_STATES, 0.0)
    documents, oldest_ready_s = 0, 0.0
    for state, began_at_ms, count, ready_at_ms, at_ms in (
        await connection.execute(statement)
    ).all():
        queue = _QUEUE_OF[TaskState(state)]
        ages[queue] = max(ages[queue], (at_ms - began_at_ms) / 1000)
        if queue is QueueName.PREPARE:
            documents += count
        if state == TaskState.READY and ready_at_ms is not None:
            oldest_ready_s = max(0.0, (at_ms - ready_at_ms) / 1000)
    return ages, documents, oldest_ready_s


async def _batches(connection: AsyncConnection) -> int:
    wanted = and_(
        tasks.c.id == batches.c.task_id,
        tasks.c.state == TaskState.EXTRACTING,
        tasks.c.prepare_attempt == batches.c.prepare_attempt,
    )
    in_hand_or_due = or_(
        batches.c.lease_until_ms.is_not(None), is_due(batches.c.next_attempt_at_ms)
    )
    statement = (
        select(func.count())
        .select_from(batches)
        .join(tasks, wanted)
        .where(~batches.c.done, in_hand_or_due)
    )
    return int((await connection.execute(statement)).scalar_one())


async def _workspaces(connection: AsyncConnection) -> int:
    awaiting = await commit_leases.awaiting_commit(connection, limit=_MOST_WORKSPACES)
    being_committed = select(func.count()).where(_is_alive(leases.c.lease_until_ms))
    return len(awaiting) + int((await connection.execute(being_committed)).scalar_one())


def _is_alive(lease_until_ms: ColumnElement[int | None]) -> ColumnElement[bool]:
    return func.coalesce(lease_until_ms, 0) > now_ms()
