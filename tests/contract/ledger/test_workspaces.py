"""Workspaces: made, filled with one embedding, dropped, and back as another generation."""

import asyncio

import pytest

from shared.errors import (
    DocumentNotFoundError,
    EmbeddingMismatchError,
    TaskNotCancellableError,
    WorkspaceExistsError,
    WorkspaceNotFoundError,
)
from shared.ids import DEFAULT_WORKSPACE, DocumentId, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import Accepted, CommitLease, TaskKind, TaskState, Workspace
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload

BOOKS = WorkspaceName("books")
DOC = DocumentId("doc")


async def test_the_default_workspace_is_there(ledger: Ledger) -> None:
    workspace = await ledger.workspaces.get(DEFAULT_WORKSPACE)
    assert (workspace.generation, workspace.physical, workspace.documents) == (1, "default", 0)


async def test_a_workspace_is_made_once(ledger: Ledger) -> None:
    results = await asyncio.gather(
        *(ledger.workspaces.create(BOOKS) for _ in range(10)), return_exceptions=True
    )
    assert len([one for one in results if isinstance(one, Workspace)]) == 1
    assert len([one for one in results if isinstance(one, WorkspaceExistsError)]) == 9


async def test_an_unknown_workspace_is_not_found(ledger: Ledger) -> None:
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.workspaces.get(BOOKS)
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.workspaces.request_drop(BOOKS)
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.workspaces.remember_embedding(BOOKS, model="m", dim=3)


async def count_documents(ledger: Ledger) -> int:
    """The list counts; looking one workspace up, which every request does, does not."""
    page = await ledger.workspaces.page(None, limit=10)
    return next(one.documents for one in page.rows if one.name == DEFAULT_WORKSPACE)


async def test_documents_are_counted_until_they_are_deleted(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    await steps.queued("b")
    assert await count_documents(ledger) == 2
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, DocumentId("a"), request_id=None)
    await steps.commit_all()
    assert await count_documents(ledger) == 1


async def test_the_first_embedding_is_remembered_and_others_refused(ledger: Ledger) -> None:
    results = await asyncio.gather(
        *(
            ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model=f"m{n}", dim=3)
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert results.count(None) == 1
    assert len([one for one in results if isinstance(one, EmbeddingMismatchError)]) == 7
    winner = (await ledger.workspaces.get(DEFAULT_WORKSPACE)).embedding_model
    assert winner == f"m{results.index(None)}"
    await ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model=winner, dim=3)
    with pytest.raises(EmbeddingMismatchError):
        await ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model=winner, dim=4)


async def test_a_drop_closes_the_workspace_and_supersedes_its_work(
    ledger: Ledger, steps: Steps
) -> None:
    queued = await steps.queued()
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    assert (drop.kind, drop.state) == (TaskKind.DROP_WORKSPACE, TaskState.READY)
    assert (await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)).id == drop.id
    assert await steps.state(queued.id) is TaskState.SUPERSEDED
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.documents.accept(an_upload("other"))
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.workspaces.get(DEFAULT_WORKSPACE)
    with pytest.raises(WorkspaceExistsError):
        await ledger.workspaces.create(DEFAULT_WORKSPACE)
    with pytest.raises(TaskNotCancellableError):
        await ledger.tasks.request_cancel(drop.id)
    assert (await ledger.workspaces.page(None, limit=10)).rows == []


async def test_uploading_and_dropping_at_once_leave_nothing_open(
    ledger: Ledger, steps: Steps
) -> None:
    results = await asyncio.gather(
        *(ledger.documents.accept(an_upload(f"doc-{n}")) for n in range(10)),
        ledger.workspaces.request_drop(DEFAULT_WORKSPACE),
        *(ledger.documents.accept(an_upload(f"more-{n}")) for n in range(10)),
        return_exceptions=True,
    )
    for accepted in results:
        if isinstance(accepted, Accepted):
            assert await steps.state(accepted.task.id) is TaskState.SUPERSEDED
    assert await steps.count("SELECT count(*) FROM tasks WHERE state = 'queued'") == 0


async def test_a_drop_waits_for_what_is_being_committed(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.advanced()
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    [first] = await steps.gather(lease)
    assert first.id == task.id
    await steps.postpone(lease, first, delay_ms=LONG_MS)
    assert await steps.gather(lease) == []
    await ledger.tasks.fail_commit(lease, task.id, error_code="x", error_detail="x")
    [second] = await steps.gather(lease)
    assert (second.id, second.state) == (drop.id, TaskState.COMMITTING)


async def test_the_default_workspace_comes_back_at_once_and_empty(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.committed()
    await ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model="m", dim=3)
    await _drop(ledger, steps, DEFAULT_WORKSPACE)
    workspace = await ledger.workspaces.get(DEFAULT_WORKSPACE)
    assert (workspace.generation, workspace.physical) == (2, "default__g2")
    assert (workspace.embedding_model, workspace.documents) == (None, 0)
    with pytest.raises(DocumentNotFoundError):
        await ledger.documents.get(DEFAULT_WORKSPACE, DOC)
    assert (await steps.queued()).revision == 1
    assert (await steps.lease()).physical == "default__g2"


async def test_another_workspace_comes_back_when_it_is_made_again(
    ledger: Ledger, steps: Steps
) -> None:
    await ledger.workspaces.create(BOOKS)
    await ledger.documents.accept(an_upload(workspace=BOOKS, key="k"))
    lease = await _drop(ledger, steps, BOOKS)
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.workspaces.get(BOOKS)
    none = await ledger.workspaces.take_commit_lease(BOOKS, holder="c", ttl_ms=LONG_MS)
    assert none is None
    assert (await ledger.workspaces.create(BOOKS)).physical == "books__g2"
    fresh = await ledger.documents.accept(an_upload(workspace=BOOKS, content="new", key="k"))
    assert fresh.created
    assert (await steps.lease(BOOKS)).token > lease.token


async def test_a_lease_on_the_old_generation_sees_nothing_of_the_new(
    ledger: Ledger, steps: Steps
) -> None:
    await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    lease = await steps.lease()
    [drop] = await steps.gather(lease)
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    await steps.ready()
    assert await steps.gather(lease) == []


async def test_a_zombie_cannot_finish_a_drop(ledger: Ledger, steps: Steps) -> None:
    await steps.committed()
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    zombie = await steps.lease(ttl_ms=GONE_MS)
    await steps.gather(zombie)
    lease = await steps.lease()
    assert not await ledger.workspaces.finish_drop(zombie, drop.id)
    assert await steps.count("SELECT count(*) FROM documents") == 1
    assert len(await steps.gather(lease)) == 1
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    assert not await ledger.workspaces.finish_drop(lease, drop.id)


async def test_a_failed_drop_can_be_retried(ledger: Ledger, steps: Steps) -> None:
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    lease = await steps.lease()
    assert not await ledger.workspaces.finish_drop(lease, drop.id), "nobody began it yet"
    await steps.gather(lease)
    await ledger.tasks.fail_commit(lease, drop.id, error_code="x", error_detail="x")
    assert (await ledger.tasks.retry(drop.id)).state is TaskState.READY


async def _drop(ledger: Ledger, steps: Steps, name: WorkspaceName) -> CommitLease:
    await ledger.workspaces.request_drop(name)
    lease = await steps.lease(name)
    [drop] = await steps.gather(lease)
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    await ledger.workspaces.release_commit_lease(lease)
    assert await steps.state(drop.id) is TaskState.SUCCEEDED
    return lease
