"""Tasks: looking at them, and every change of their state."""

from collections.abc import Sequence

from sqlalchemy import func, select, update

from shared.ids import DocumentId, ObjectKey, TaskId, WorkspaceName
from shared.ledger import claims, commits, gathering, interventions, sweeping
from shared.ledger.clock import now_ms
from shared.ledger.cursor import decode_cursor, to_page
from shared.ledger.engine import Database
from shared.ledger.records import (
    Claim,
    CommitLease,
    DoneBatch,
    GroupBounds,
    LeaseStatus,
    NewBatch,
    Page,
    Task,
    TaskState,
)
from shared.ledger.rows import to_task
from shared.ledger.tables import tasks


class Tasks:
    """One door to the stages: `claims`, then `gathering` and `commits`; `sweeping` tidies up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, task_id: TaskId) -> Task:
        """Return a task.

        Raises:
            TaskNotFoundError: there is none.
        """
        async with self._database.reading() as connection:
            return await interventions.find_task(connection, task_id)

    async def page(
        self,
        *,
        workspace: WorkspaceName | None = None,
        state: TaskState | None = None,
        doc_id: DocumentId | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> Page[Task]:
        """List tasks, newest first.

        Raises:
            InvalidInputError: the cursor is not one of ours.
        """
        statement = select(tasks).order_by(tasks.c.id.desc()).limit(limit + 1)
        if workspace is not None:
            statement = statement.where(tasks.c.workspace == workspace)
        if state is not None:
            statement = statement.where(tasks.c.state == state)
        if doc_id is not None:
            statement = statement.where(tasks.c.doc_id == doc_id)
        if cursor is not None:
            statement = statement.where(tasks.c.id < decode_cursor(cursor))
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, to_task, key="id", limit=limit)

    async def counts(self) -> dict[TaskState, int]:
        """Count the tasks of every state, those without any included."""
        statement = select(tasks.c.state, func.count()).group_by(tasks.c.state)
        async with self._database.reading() as connection:
            found = {row[0]: row[1] for row in (await connection.execute(statement)).all()}
        return {state: found.get(state.value, 0) for state in TaskState}

    async def claim(self, task_id: TaskId, *, holder: str, ttl_ms: int) -> Claim | None:
        """Take a waiting insert, or one whose worker fell silent; None: nothing to do here."""
        async with self._database.single() as connection:
            return await claims.claim(connection, task_id, holder=holder, ttl_ms=ttl_ms)

    async def renew(self, claim: Claim, *, ttl_ms: int) -> LeaseStatus:
        """Keep the lease of the prepare stage."""
        async with self._database.single() as connection:
            return await claims.renew(connection, claim, ttl_ms=ttl_ms)

    async def start_extracting(self, claim: Claim, *, batches: Sequence[NewBatch]) -> bool:
        """Hand the chunks on in batches (at least one); False: the claim was lost."""
        async with self._database.writing() as connection:
            return await claims.start_extracting(connection, claim, new_batches=batches)

    async def make_ready(self, claim: Claim, *, batches_done: Sequence[DoneBatch]) -> bool:
        """Hand a document extracted on the spot to the committer; False: the claim was lost."""
        async with self._database.writing() as connection:
            return await claims.make_ready(connection, claim, batches_done=batches_done)

    async def report_progress(self, claim: Claim, *, chunks_done: int, chunks_total: int) -> None:
        """Show people how far the attempt came."""
        async with self._database.single() as connection:
            await claims.report_progress(
                connection, claim, chunks_done=chunks_done, chunks_total=chunks_total
            )

    async def postpone(
        self, claim: Claim, *, delay_ms: int, error_code: str, error_detail: str, strike: bool
    ) -> None:
        """Put the task back for later (or cancel it, if that was asked for meanwhile)."""
        async with self._database.writing() as connection:
            await claims.postpone(
                connection,
                claim,
                delay_ms=delay_ms,
                error_code=error_code,
                error_detail=error_detail,
                strike=strike,
            )

    async def fail(self, claim: Claim, *, error_code: str, error_detail: str) -> None:
        """Give the task up."""
        async with self._database.single() as connection:
            await claims.fail(connection, claim, error_code=error_code, error_detail=error_detail)

    async def confirm_cancel(self, claim: Claim) -> None:
        """End a task that was asked to stop."""
        async with self._database.single() as connection:
            await claims.confirm_cancel(connection, claim)

    async def request_cancel(self, task_id: TaskId) -> Task:
        """Cancel a task at once, or ask the worker that prepares it to stop.

        Raises:
            TaskNotFoundError: there is no such task.
            TaskNotCancellableError: it is being committed, has ended, or drops a workspace.
        """
        async with self._database.writing() as connection:
            return await interventions.request_cancel(connection, task_id)

    async def retry(self, task_id: TaskId) -> Task:
        """Start a failed or cancelled task over.

        Raises:
            TaskNotFoundError: there is no such task.
            TaskNotRetryableError: its state or a newer revision of its document forbids it.
        """
        async with self._database.writing() as connection:
            return await interventions.retry(connection, task_id)

    async def gather_commits(self, lease: CommitLease, bounds: GroupBounds) -> list[Task]:
        """Choose the next group of a workspace; empty: nothing is ready, or the lease was lost."""
        async with self._database.writing() as connection:
            return await gathering.gather(connection, lease, bounds)

    async def hand_commits_back(self, lease: CommitLease, task_ids: Sequence[TaskId]) -> None:
        """Let go of gathered tasks that the group has no room for."""
        async with self._database.writing() as connection:
            await commits.hand_back(connection, lease, task_ids)

    async def postpone_commits(
        self,
        lease: CommitLease,
        task_ids: Sequence[TaskId],
        *,
        delay_ms: int,
        error_code: str,
        error_detail: str,
        strike: bool,
    ) -> None:
        """Let gathered tasks wait; nothing of them is written yet."""
        async with self._database.writing() as connection:
            await commits.postpone(
                connection,
                lease,
                task_ids,
                delay_ms=delay_ms,
                error_code=error_code,
                error_detail=error_detail,
                strike=strike,
            )

    async def fail_commit(
        self, lease: CommitLease, task_id: TaskId, *, error_code: str, error_detail: str
    ) -> None:
        """Give a task up that cannot be committed."""
        async with self._database.writing() as connection:
            await commits.fail(
                connection, lease, task_id, error_code=error_code, error_detail=error_detail
            )

    async def explain_commit_delay(
        self, lease: CommitLease, *, error_code: str, error_detail: str
    ) -> None:
        """Show on journaled tasks why they are not applied yet."""
        async with self._database.writing() as connection:
            await commits.explain_delay(
                connection, lease, error_code=error_code, error_detail=error_detail
            )

    async def mark_sent(self, task_id: TaskId) -> None:
        """Note that the message for the task's present state was sent just now."""
        statement = update(tasks).where(tasks.c.id == task_id).values(message_sent_at_ms=now_ms())
        async with self._database.single() as connection:
            await connection.execute(statement)

    async def unsent(self, *, older_than_ms: int, limit: int) -> list[Task]:
        """List queued, due tasks without a message, or whose message is this old (an age)."""
        async with self._database.reading() as connection:
            return await sweeping.unsent_tasks(connection, older_than_ms=older_than_ms, limit=limit)

    async def expire_leases(self, *, max_strikes: int, limit: int) -> list[Task]:
        """Queue, cancel or fail tasks whose worker fell silent; return them as they are now."""
        async with self._database.writing() as connection:
            return await sweeping.expire_task_leases(
                connection, max_strikes=max_strikes, limit=limit
            )

    async def remove_old(self, *, ended_before_ms: int, limit: int) -> int:
        """Remove tasks that ended before a Unix time and nobody can ask back; count them."""
        async with self._database.writing() as connection:
            return await sweeping.remove_old(
                connection, ended_before_ms=ended_before_ms, limit=limit
            )

    async def referenced_objects(self, keys: Sequence[ObjectKey]) -> set[ObjectKey]:
        """Return those keys whose bytes an open, retryable or committed task refers to."""
        async with self._database.reading() as connection:
            return await sweeping.referenced_objects(connection, keys)
