"""The one writer of a workspace: takes its lease and commits what is ready, oldest first."""

import asyncio
from contextlib import suppress
from time import monotonic

from lightrag import LightRAG

from shared.contract.payloads import CommitWorkspace
from shared.errors import UnavailableError
from shared.ledger.records import CommitLease, LeaseStatus, Task, TaskKind
from shared.logs import get_logger
from shared.rag.models import embedding_name
from shared.rag.store_errors import translated_store_errors
from worker.commit.delete import delete_document, drop_workspace
from worker.commit.insert import commit_document
from worker.commit.prepared import load_prepared
from worker.context import WorkerContext
from worker.ingestion.delivery import send_or_leave_to_sweeper
from worker.ingestion.outcome import decide_on
from worker.leased import LeaseLostError, run_leased
from worker.retry import Action

_log = get_logger(__name__)
# After this long the workspace goes to the end of the queue, so that no busy one starves others.
_TURN_S = 30.0


async def commit_workspace(message: CommitWorkspace, context: WorkerContext) -> None:
    """Commit what is ready in one workspace, unless somebody else is doing so."""
    workspaces = context.ledger.workspaces
    lease = await workspaces.take_commit_lease(
        message.workspace, holder=context.holder, ttl_ms=context.lease_ms
    )
    if lease is None:
        return

    async def renew() -> LeaseStatus:
        held = await workspaces.renew_commit_lease(lease, ttl_ms=context.lease_ms)
        return LeaseStatus.HELD if held else LeaseStatus.LOST

    try:
        more = await run_leased(
            _commit_ready(lease, context),
            renew=renew,
            lease_ms=context.lease_ms,
            timeout_s=context.settings.limits.stage_timeout_s,
        )
    except LeaseLostError:
        _log.warning("commit_lease_lost", workspace=lease.workspace, token=lease.token)
        return
    finally:
        with suppress(UnavailableError):  # then it expires
            await asyncio.shield(workspaces.release_commit_lease(lease))
    # Work that became ready between our last look and the release found the lease taken.
    if more or message.workspace in await workspaces.awaiting_commit(limit=_AWAITING_LIMIT):
        await send_or_leave_to_sweeper(message, context)


_AWAITING_LIMIT = 100


async def _commit_ready(lease: CommitLease, context: WorkerContext) -> bool:
    """Commit task after task; True when the turn ended before the work did."""
    ends_at_s = monotonic() + _TURN_S
    while monotonic() < ends_at_s:
        task = await context.ledger.tasks.claim_commit(lease)
        if task is None:
            return False
        await _commit_one(task, lease, context)
    return True


async def _commit_one(task: Task, lease: CommitLease, context: WorkerContext) -> None:
    _log.info("commit_started", task_id=task.id, kind=task.kind, attempt=task.attempt)
    try:
        with translated_store_errors():
            chunks = await _write(task, lease, context)
    except Exception as error:  # noqa: BLE001 - the edge: every failure becomes a decision
        await _settle(task, lease, error, context)
        return
    if task.kind is not TaskKind.DROP_WORKSPACE:
        await context.ledger.tasks.finish_commit(lease, task.id, chunks=chunks)
    _log.info("commit_done", task_id=task.id, chunks=chunks)


async def _write(task: Task, lease: CommitLease, context: WorkerContext) -> int | None:
    """Do what the task asks of LightRAG's stores; returns the number of chunks written."""
    if task.kind is TaskKind.DROP_WORKSPACE:
        await _drop(task, lease, context)
        return None
    assert task.doc_id is not None  # noqa: S101 - inserts and deletes are about a document
    async with context.rags.use(task.physical) as rag:
        if task.kind is TaskKind.DELETE:
            await delete_document(rag, task.doc_id)
            return None
        await _remember_embedding(task, context)
        document = await load_prepared(task, context)
        await commit_document(rag, document)
        return len(document.chunks)


async def _remember_embedding(task: Task, context: WorkerContext) -> None:
    await context.ledger.workspaces.remember_embedding(
        task.workspace,
        model=embedding_name(context.settings),
        dim=context.settings.embedding.dim,
    )


async def _drop(task: Task, lease: CommitLease, context: WorkerContext) -> None:
    async with context.rags.use(task.physical) as rag:
        await drop_workspace(rag)
    await context.rags.forget(task.physical)
    await context.ledger.workspaces.finish_drop(lease, task.id)


async def _settle(task: Task, lease: CommitLease, error: Exception, context: WorkerContext) -> None:
    decision = decide_on(error, task, context)
    tasks = context.ledger.tasks
    if decision.action is Action.FAIL:
        await _undo(task, context)
        await tasks.fail_commit(
            lease, task.id, error_code=decision.code, error_detail=decision.detail
        )
        return
    await tasks.postpone_commit(
        lease,
        task.id,
        delay_ms=int(decision.delay_s * 1000),
        error_code=decision.code,
        error_detail=decision.detail,
        strike=decision.strike,
    )


async def _undo(task: Task, context: WorkerContext) -> None:
    """Take out what a document that is given up may have left: nothing stays half-written."""
    if task.kind is not TaskKind.INSERT or task.doc_id is None:
        return
    async with context.rags.use(task.physical) as rag:
        await _remove_quietly(rag, task)


async def _remove_quietly(rag: LightRAG, task: Task) -> None:
    assert task.doc_id is not None  # noqa: S101 - checked by the caller
    try:
        await delete_document(rag, task.doc_id)
    except Exception:  # noqa: BLE001 - the edge: the failure is logged, the task fails anyway
        # The task fails either way; deleting the document later removes the rest.
        _log.exception("undo_incomplete", task_id=task.id)
