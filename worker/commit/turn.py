"""A turn: group after group of one workspace, each failing task apart from the others."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from time import monotonic

from shared.errors import (
    AttemptsExhaustedError,
    DeadlineExceededError,
    EmbeddingMismatchError,
    UnavailableError,
)
from shared.ids import TaskId
from shared.ledger.records import GroupBounds, Outcome, Task, TaskKind
from shared.logs import get_logger
from shared.rag.calls import Purpose, call_context
from worker.commit.drop import drop_workspace
from worker.commit.group import Merged, merge_group, merge_removal
from worker.commit.pipeline import Pipeline, open_pipeline
from worker.commit.prepared import PreparedRowsMissingError
from worker.commit.session import Session
from worker.commit.work import Work, fitting, load_works
from worker.embedding import remember_embedding
from worker.ingestion.outcome import INTERRUPTED, decide_on
from worker.metrics import observed_stage
from worker.retry import Action, Decision, app_error_behind

_log = get_logger(__name__)
# After this long the workspace gives way to another one that waits, so that no busy one starves it.
TURN_S = 30.0
# One statement names all tasks of a group.
_MAX_TASKS = 1000
_PARTS_REMAIN = "Parts of it stay in the graph until it is uploaded again or deleted."


class OutageError(Exception):
    """A model or store is away: whoever tries next finds that out, so the turn is over."""


async def commit_ready(session: Session) -> None:
    """Commit group after group until nothing is ready, or the turn is over and others wait.

    Raises:
        LeaseLostError: somebody else commits.
        StoreUnavailableError: what is journaled waits for a store.
    """
    ends_at_s = monotonic() + TURN_S
    async with open_pipeline(session) as pipeline:
        turn = _Turn(session, pipeline)
        with suppress(OutageError):
            while await turn.commit_some():
                session.heartbeat.progressed()
                if monotonic() >= ends_at_s and await _others_wait(session):
                    break


async def _others_wait(session: Session) -> bool:
    return bool(await session.context.ledger.workspaces.awaiting_commit(limit=1))


def _is_outage(error: Exception) -> bool:
    cause = app_error_behind(error)
    return cause is not None and cause.outage


class _Turn:
    """Takes groups, and decides what becomes of those that cannot be merged."""

    def __init__(self, session: Session, pipeline: Pipeline) -> None:
        self._session = session
        self._pipeline = pipeline
        self._tasks = session.context.ledger.tasks
        self._limits = session.context.settings.limits
        self._bounds = GroupBounds(tasks=_MAX_TASKS, chunks=self._limits.commit_max_chunks)

    async def commit_some(self) -> bool:
        """Commit one group; False: nothing is ready any more."""
        tasks = await self._tasks.gather_commits(self._session.lease, self._bounds)
        if not tasks:
            if self._pipeline.below is None:
                return False
            await self._pipeline.settle()  # then look once more: it took its time
            return True
        try:
            await self._commit(tasks)
        except asyncio.CancelledError:
            # The process is stopping; what is not in a journal yet goes back at once.
            if not self._session.heartbeat.lost:
                await asyncio.shield(self._postpone([task.id for task in tasks], INTERRUPTED))
            raise
        except UnavailableError:
            # The group before waits for a store; this one is as ready as it was.
            await asyncio.shield(self._hand_back([task.id for task in tasks]))
            raise
        return True

    async def _commit(self, tasks: Sequence[Task]) -> None:
        if tasks[0].kind is TaskKind.DROP_WORKSPACE:
            await self._pipeline.settle()
            await self._drop(tasks[0])
            return
        loaded = await self._load(tasks)
        group = fitting(
            loaded,
            dimension=self._session.context.settings.embedding.dim,
            limit_bytes=self._limits.commit_max_bytes,
        )
        await self._hand_back([work.task.id for work in loaded[len(group) :]])
        if group:
            await self._commit_or_split(group)

    async def _load(self, tasks: Sequence[Task]) -> list[Work]:
        """Read what the tasks want, and settle those that want it in vain."""
        context = self._session.context
        try:
            await remember_embedding(self._session.lease.workspace, context)
            works = await load_works(tasks, context)
        except EmbeddingMismatchError as error:
            await self._settle_all([Work(task, None) for task in tasks], error)
            return []
        loaded: list[Work] = []
        for task, work in zip(tasks, works, strict=True):
            if isinstance(work, PreparedRowsMissingError):
                await self._settle(Work(task, None), work)
            elif task.strikes >= self._limits.max_attempts:
                # Committers died of it, who could not decide that it was enough.
                await self._settle(work, AttemptsExhaustedError())
            else:
                loaded.append(work)
        return loaded

    async def _commit_or_split(self, group: Sequence[Work]) -> None:
        """Commit a group; when it fails, find the task that fails it by halving."""
        try:
            merged = await self._in_time(
                merge_group(group, self._session, below=self._pipeline.below)
            )
        except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
            if len(group) == 1 or _is_outage(error):
                await self._settle_all(group, error)
                return
            _log.warning("group_split", workspace=self._session.lease.workspace, tasks=len(group))
            middle = len(group) // 2
            await self._commit_or_split(group[:middle])
            await self._commit_or_split(group[middle:])
        else:
            # From here on nothing fails a task any more: an outage leaves a journal to be replayed.
            if not await self._pipeline.write(merged):
                await self._hand_back([work.task.id for work in group])

    async def _in_time(self, merging: Awaitable[Merged]) -> Merged:
        """Merge within a stage's time.

        Raises:
            DeadlineExceededError: it took longer.
        """
        self._session.heartbeat.progressed()
        deadline = asyncio.timeout(self._limits.stage_timeout_s)
        try:
            async with deadline:
                with (
                    observed_stage("merge"),
                    call_context(Purpose.COMMIT, workspace=self._session.lease.workspace),
                ):
                    return await merging
        except Exception as error:
            if deadline.expired():
                raise DeadlineExceededError from error
            raise

    async def _settle_all(self, group: Sequence[Work], error: Exception) -> None:
        for work in group:
            await self._settle(work, error)
        if _is_outage(error):
            raise OutageError

    async def _settle(self, work: Work, error: Exception) -> None:
        decision = decide_on(error, work.task, self._session.context)
        if decision.action is Action.RETRY:
            await self._postpone([work.task.id], decision)
        elif work.task.committed_chunks:
            await self._remove_and_fail(work, decision)
        else:
            await self._fail(work.task, decision.code, decision.detail)

    async def _remove_and_fail(self, work: Work, decision: Decision) -> None:
        """Give up a document of which slices are in the graph: they go before it fails."""
        await self._pipeline.settle()
        failed = Outcome(failed={work.task.id: (decision.code, decision.detail)})
        try:
            merged = await self._in_time(merge_removal(work, self._session, failed))
        except Exception as error:
            removal = decide_on(error, work.task, self._session.context)
            if removal.action is Action.RETRY:
                await self._postpone([work.task.id], removal)
            else:  # or it would stand in the way of all others for ever
                await self._fail(work.task, decision.code, f"{decision.detail} {_PARTS_REMAIN}")
            if _is_outage(error):
                raise OutageError from error
        else:
            await self._pipeline.write(merged)

    async def _fail(self, task: Task, code: str, detail: str) -> None:
        await self._tasks.fail_commit(
            self._session.lease, task.id, error_code=code, error_detail=detail
        )

    async def _postpone(self, task_ids: Sequence[TaskId], decision: Decision) -> None:
        await self._tasks.postpone_commits(
            self._session.lease,
            task_ids,
            delay_ms=int(decision.delay_s * 1000),
            error_code=decision.code,
            error_detail=decision.detail,
            strike=decision.strike,
        )

    async def _hand_back(self, task_ids: Sequence[TaskId]) -> None:
        if task_ids:
            await self._tasks.hand_commits_back(self._session.lease, task_ids)

    async def _drop(self, task: Task) -> None:
        try:
            await drop_workspace(task, self._session)
        except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
            await self._settle(Work(task, None), error)
            raise OutageError from None
