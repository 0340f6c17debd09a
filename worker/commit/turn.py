"""A turn: group after group of one workspace, each failing task apart from the others."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from shared.errors import AttemptsExhaustedError, DeadlineExceededError
from shared.ids import TaskId
from shared.ledger.records import GroupBounds, Outcome, Task, TaskKind
from shared.logs import get_logger
from shared.rag.calls import Purpose, call_context
from worker.commit.drop import drop_workspace
from worker.commit.group import merge_group, remove_leftovers, write_and_apply
from worker.commit.session import Session
from worker.commit.work import Work, fitting, load_work, outcome_of
from worker.embedding import remember_embedding
from worker.ingestion.outcome import INTERRUPTED, decide_on
from worker.retry import Action, Decision, app_error_behind

_log = get_logger(__name__)
# After this long the workspace goes to the end of the queue, so that no busy one starves others.
TURN_S = 30.0
# One statement names all tasks of a group.
_MAX_TASKS = 1000


class OutageError(Exception):
    """A model or store is away: whoever tries next finds that out, so the turn is over."""


async def commit_ready(session: Session) -> None:
    """Commit group after group until nothing is ready or the turn is over."""
    context = session.context
    bounds = GroupBounds(tasks=_MAX_TASKS, chunks=context.settings.limits.commit_max_chunks)
    ends_at_s = monotonic() + TURN_S
    while monotonic() < ends_at_s:
        tasks = await context.ledger.tasks.gather_commits(session.lease, bounds)
        session.heartbeat.progressed()
        if not tasks:
            return
        try:
            await _commit(tasks, session)
        except OutageError:
            return


async def _commit(tasks: Sequence[Task], session: Session) -> None:
    if tasks[0].kind is TaskKind.DROP_WORKSPACE:
        await _drop(tasks[0], session)
        return
    try:
        loaded = [work for task in tasks if (work := await _load(task, session))]
        settings = session.context.settings
        group = fitting(
            loaded,
            dimension=settings.embedding.dim,
            limit_bytes=settings.limits.commit_max_bytes,
        )
        await _hand_back(loaded[len(group) :], session)
        if group:
            await _commit_or_split(group, session)
    except asyncio.CancelledError:
        # The process is stopping; what is not in a journal yet goes back at once.
        if not session.heartbeat.lost:
            await asyncio.shield(_postpone([task.id for task in tasks], INTERRUPTED, session))
        raise


async def _load(task: Task, session: Session) -> Work | None:
    try:
        _require_strikes_left(task, session)
        await remember_embedding(task.workspace, session.context)
        return await load_work(task, session.context)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await _settle(Work(task, None), error, session)
        return None


def _require_strikes_left(task: Task, session: Session) -> None:
    if task.strikes >= session.context.settings.limits.max_attempts:
        # Committers died of it, who could not decide that it was enough.
        raise AttemptsExhaustedError


async def _commit_or_split(group: Sequence[Work], session: Session) -> None:
    """Commit a group; when it fails, find the task that fails it by halving."""
    try:
        async with asyncio.timeout(session.context.settings.limits.stage_timeout_s) as deadline:
            with call_context(Purpose.COMMIT, workspace=session.lease.workspace):
                parts = await merge_group(group, session)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        found = DeadlineExceededError() if deadline.expired() else error
        cause = app_error_behind(found)
        if len(group) == 1 or (cause is not None and cause.outage):
            await _settle_all(group, found, session)
            return
        _log.warning("group_split", workspace=session.lease.workspace, tasks=len(group))
        middle = len(group) // 2
        await _commit_or_split(group[:middle], session)
        await _commit_or_split(group[middle:], session)
    else:
        # From here on nothing fails a task any more: an outage leaves the journal to be replayed.
        if not await write_and_apply(outcome_of(group), parts, session):
            await _hand_back(group, session)


async def _settle_all(group: Sequence[Work], error: Exception, session: Session) -> None:
    for work in group:
        await _settle(work, error, session)
    cause = app_error_behind(error)
    if cause is not None and cause.outage:
        raise OutageError


async def _settle(work: Work, error: Exception, session: Session) -> None:
    decision = decide_on(error, work.task, session.context)
    if decision.action is Action.RETRY:
        await _postpone([work.task.id], decision, session)
        return
    if work.task.committed_chunks:
        # Some slices of it are in the graph: they go before it fails.
        parts = await remove_leftovers(work, session)
        failed = {work.task.id: (decision.code, decision.detail)}
        await write_and_apply(Outcome(failed=failed), parts, session)
        return
    await session.context.ledger.tasks.fail_commit(
        session.lease, work.task.id, error_code=decision.code, error_detail=decision.detail
    )


async def _postpone(task_ids: Sequence[TaskId], decision: Decision, session: Session) -> None:
    await session.context.ledger.tasks.postpone_commits(
        session.lease,
        task_ids,
        delay_ms=int(decision.delay_s * 1000),
        error_code=decision.code,
        error_detail=decision.detail,
        strike=decision.strike,
    )


async def _hand_back(group: Sequence[Work], session: Session) -> None:
    if group:
        await session.context.ledger.tasks.hand_commits_back(
            session.lease, [work.task.id for work in group]
        )


async def _drop(task: Task, session: Session) -> None:
    try:
        await drop_workspace(task, session)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await _settle(Work(task, None), error, session)
        raise OutageError from None
