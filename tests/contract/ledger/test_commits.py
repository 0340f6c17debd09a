"""The commit stage: one writer per workspace, and a zombie that cannot write."""

import asyncio

import pytest

from shared.errors import TaskNotCancellableError
from shared.ids import DEFAULT_WORKSPACE, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, Task, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps


async def test_takers_of_the_commit_lease_have_one_winner(ledger: Ledger) -> None:
    leases = await asyncio.gather(*(_take(ledger, holder=f"c{n}") for n in range(30)))
    assert len([lease for lease in leases if lease is not None]) == 1


async def test_tokens_only_grow(ledger: Ledger, steps: Steps) -> None:
    tokens = []
    for _ in range(5):
        lease = await steps.lease(ttl_ms=GONE_MS)
        tokens.append(lease.token)
    lease = await steps.lease()
    await ledger.workspaces.release_commit_lease(lease)
    tokens += [lease.token, (await steps.lease()).token]
    assert tokens == sorted(set(tokens))


async def test_a_live_lease_keeps_its_own_holder_out_too(ledger: Ledger, steps: Steps) -> None:
    lease = await steps.lease()
    assert await _take(ledger, holder=lease.holder) is None
    assert await ledger.workspaces.renew_commit_lease(lease, ttl_ms=LONG_MS)


async def test_a_lease_that_was_given_back_is_over(ledger: Ledger, steps: Steps) -> None:
    await steps.ready()
    lease = await steps.lease()
    await ledger.workspaces.release_commit_lease(lease)
    assert not await ledger.workspaces.renew_commit_lease(lease, ttl_ms=LONG_MS)
    assert await ledger.tasks.claim_commit(lease) is None


async def test_a_stale_token_changes_nothing(ledger: Ledger, steps: Steps) -> None:
    ready = await steps.ready("ready")
    claimed = await steps.ready("claimed")
    old = await steps.lease(ttl_ms=GONE_MS)
    first = await ledger.tasks.claim_commit(old)
    assert first is not None
    new = await steps.lease()
    before = [await ledger.tasks.get(task.id) for task in (ready, claimed)]
    assert await ledger.tasks.claim_commit(old) is None
    assert not await ledger.tasks.finish_commit(old, first.id, chunks=3)
    await _postpone(ledger, old, first)
    await ledger.tasks.fail_commit(old, first.id, error_code="late", error_detail="late")
    await ledger.workspaces.release_commit_lease(old)
    assert not await ledger.workspaces.renew_commit_lease(old, ttl_ms=LONG_MS)
    assert [await ledger.tasks.get(task.id) for task in (ready, claimed)] == before
    assert await ledger.workspaces.renew_commit_lease(new, ttl_ms=LONG_MS)


async def test_ready_tasks_are_taken_in_the_order_they_became_ready(
    ledger: Ledger, steps: Steps
) -> None:
    slow = await steps.preparing("slow")
    quick = await steps.ready("quick")
    slow_task = await steps.made_ready(slow)
    async with ledger.database.writing() as connection:  # both may fall into one millisecond
        await connection.exec_driver_sql(
            "UPDATE tasks SET ready_at_ms = ready_at_ms - 1 WHERE doc_id = 'quick'"
        )
    lease = await steps.lease()
    taken = [await ledger.tasks.claim_commit(lease) for _ in range(3)]
    assert [task and task.id for task in taken] == [quick.id, slow_task.id, None]


async def test_what_a_dead_committer_left_comes_first_and_once(
    ledger: Ledger, steps: Steps
) -> None:
    left = await steps.ready("left")
    dead = await steps.lease(ttl_ms=GONE_MS)
    assert await ledger.tasks.claim_commit(dead) is not None
    fresh = await steps.ready("fresh")
    lease = await steps.lease()
    first = await ledger.tasks.claim_commit(lease)
    assert first is not None
    assert (first.id, first.state, first.strikes) == (left.id, TaskState.COMMITTING, 1)
    second = await ledger.tasks.claim_commit(lease)
    assert second is not None
    assert second.id == fresh.id
    assert await ledger.tasks.claim_commit(lease) is None


async def test_success_shows_in_the_document_and_frees_the_batches(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.committed()
    assert (task.state, task.cancel_requested) == (TaskState.SUCCEEDED, False)
    assert task.finished_at_ms is not None
    assert task.object_key is not None
    document = await ledger.documents.get(DEFAULT_WORKSPACE, task.doc_id)
    assert (document.committed_revision, document.chunks) == (1, 3)
    assert await ledger.batches.results(task.id, task.prepare_attempt) == []


async def test_success_counts_once(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.committing()
    finished = await asyncio.gather(
        *(ledger.tasks.finish_commit(lease, task.id, chunks=3) for _ in range(5))
    )
    assert finished.count(True) == 1


async def test_a_group_holds_one_revision_of_a_document(ledger: Ledger, steps: Steps) -> None:
    lease, old = await steps.committing()
    new = await steps.ready(content="two")
    assert await ledger.tasks.claim_commit(lease) is None
    assert await ledger.tasks.finish_commit(lease, old.id, chunks=3)
    claimed = await ledger.tasks.claim_commit(lease)
    assert claimed is not None
    assert claimed.id == new.id


async def test_a_postponed_commit_waits_and_keeps_its_place(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.committing()
    await _postpone(ledger, lease, task, delay_ms=LONG_MS)
    shown = await ledger.tasks.get(task.id)
    assert (shown.state, shown.strikes, shown.error_code) == (TaskState.READY, 1, "store_away")
    assert await ledger.tasks.claim_commit(lease) is None
    await ledger.workspaces.release_commit_lease(lease)
    assert await ledger.workspaces.awaiting_commit(limit=10) == []


async def test_a_postponed_commit_that_was_overtaken_is_over(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.committing()
    new = await steps.queued(content="two")
    await _postpone(ledger, lease, task)
    assert await steps.state(task.id) is TaskState.SUPERSEDED
    assert await steps.state(new.id) is TaskState.QUEUED


async def test_postponing_and_uploading_at_once_leave_one_open_revision(
    ledger: Ledger, steps: Steps
) -> None:
    for number in range(10):
        lease, task = await steps.committing(content=f"old {number}")
        await asyncio.gather(_postpone(ledger, lease, task), steps.queued(content=f"new {number}"))
        assert await steps.state(task.id) is TaskState.SUPERSEDED
        await ledger.workspaces.release_commit_lease(lease)


async def test_a_commit_that_is_given_up_says_why(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.committing()
    await ledger.tasks.fail_commit(lease, task.id, error_code="poison", error_detail="No.")
    shown = await ledger.tasks.get(task.id)
    assert (shown.state, shown.error_code) == (TaskState.FAILED, "poison")


async def test_a_workspace_waits_until_its_work_is_taken(ledger: Ledger, steps: Steps) -> None:
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    await steps.ready()
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    lease = await steps.lease()
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    await ledger.tasks.claim_commit(lease)
    await ledger.workspaces.release_commit_lease(lease)
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]


async def test_cancelling_and_committing_at_once_have_one_winner(
    ledger: Ledger, steps: Steps
) -> None:
    lease = await steps.lease()
    for number in range(20):
        task = await steps.ready(f"doc-{number}")
        cancelled, claimed = await asyncio.gather(
            ledger.tasks.request_cancel(task.id),
            ledger.tasks.claim_commit(lease),
            return_exceptions=True,
        )
        state = await steps.state(task.id)
        if claimed is None:
            assert state is TaskState.CANCELLED
        else:
            assert isinstance(cancelled, TaskNotCancellableError)
            assert state is TaskState.COMMITTING


async def test_an_old_revision_that_comes_late_is_superseded(ledger: Ledger, steps: Steps) -> None:
    task = await steps.ready()
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE documents SET committed_revision = 1")
    lease = await steps.lease()
    assert await ledger.tasks.claim_commit(lease) is None
    assert await steps.state(task.id) is TaskState.SUPERSEDED


async def test_the_workspace_that_waited_longest_is_first(ledger: Ledger, steps: Steps) -> None:
    other = WorkspaceName("other")
    await ledger.workspaces.create(other)
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO tasks (id, workspace, physical, kind, doc_id, state, file_name,"
            " content_type, size_bytes, sha256, created_at_ms, updated_at_ms, ready_at_ms)"
            " VALUES ('t', 'other', 'other', 'delete', 'd', 'ready', '', '', 0, '', 0, 0, 0)"
        )
    await steps.ready()
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE, other]
    await ledger.workspaces.release_commit_lease(await steps.lease())
    assert await ledger.workspaces.awaiting_commit(limit=10) == [other, DEFAULT_WORKSPACE]
    assert await ledger.workspaces.awaiting_commit(limit=1) == [other]


@pytest.mark.parametrize("name", ["default", "nowhere"])
async def test_a_lease_names_the_generation_it_writes(ledger: Ledger, name: str) -> None:
    lease = await _take(ledger, holder="c", name=name)
    assert (lease and lease.physical) == ("default" if name == "default" else None)


async def _take(ledger: Ledger, *, holder: str, name: str = "default") -> CommitLease | None:
    return await ledger.workspaces.take_commit_lease(
        WorkspaceName(name), holder=holder, ttl_ms=LONG_MS
    )


async def _postpone(ledger: Ledger, lease: CommitLease, task: Task, *, delay_ms: int = 0) -> None:
    await ledger.tasks.postpone_commit(
        lease,
        task.id,
        delay_ms=delay_ms,
        error_code="store_away",
        error_detail="The store is away.",
        strike=True,
    )
