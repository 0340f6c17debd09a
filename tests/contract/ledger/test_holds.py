"""Holds: what stops commits, what keeps journals, and how each of them ends."""

import asyncio

import pytest

from shared.errors import WorkspaceBusyError, WorkspaceNotFoundError
from shared.ids import DEFAULT_WORKSPACE, PhysicalWorkspace, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps

PHYSICAL = PhysicalWorkspace("default")


async def shown(ledger: Ledger) -> tuple[bool, bool]:
    workspace = await ledger.workspaces.show(DEFAULT_WORKSPACE)
    assert (await ledger.workspaces.page(None, limit=10)).rows == [workspace]
    return workspace.paused, workspace.committing


async def close_long_ago(ledger: Ledger) -> None:
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE journals SET closed_at_ms = 1")


async def test_nothing_is_begun_in_a_paused_workspace_until_it_is_resumed(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.ready()
    for _ in range(2):
        await ledger.holds.pause(DEFAULT_WORKSPACE)
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    lease = await steps.lease()
    assert await steps.gather(lease) == []
    assert await shown(ledger) == (True, True)
    await ledger.workspaces.release_commit_lease(lease)
    assert await shown(ledger) == (True, False)

    await ledger.holds.resume(DEFAULT_WORKSPACE)
    assert await shown(ledger) == (False, False)
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    await steps.commit_all()
    assert await steps.state(task.id) is TaskState.SUCCEEDED


async def test_a_group_that_was_gathered_before_the_pause_is_committed(
    ledger: Ledger, steps: Steps
) -> None:
    lease, task = await steps.gathered()
    await ledger.holds.pause(DEFAULT_WORKSPACE)
    assert await ledger.journals.close(lease, await steps.journal(lease, task))
    assert await steps.state(task.id) is TaskState.SUCCEEDED


async def test_uploads_to_a_paused_workspace_are_taken_and_prepared(
    ledger: Ledger, steps: Steps
) -> None:
    await ledger.holds.pause(DEFAULT_WORKSPACE)
    task = await steps.ready()
    assert await steps.state(task.id) is TaskState.READY


async def test_another_workspace_goes_on(ledger: Ledger, steps: Steps) -> None:
    other = WorkspaceName("other")
    await ledger.workspaces.create(other)
    await ledger.holds.pause(other)
    await steps.ready()
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    assert len(await steps.gather(await steps.lease())) == 1


async def test_a_paused_workspace_can_be_deleted_and_the_next_one_is_not_paused(
    ledger: Ledger, steps: Steps
) -> None:
    await ledger.holds.pause(DEFAULT_WORKSPACE)
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    lease = await steps.lease()
    assert [task.id for task in await steps.gather(lease)] == [drop.id]
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    assert not (await ledger.workspaces.show(DEFAULT_WORKSPACE)).paused


async def test_what_is_not_there_cannot_be_held(ledger: Ledger) -> None:
    nowhere = WorkspaceName("nowhere")
    for asked in (
        ledger.holds.pause(nowhere),
        ledger.holds.resume(nowhere),
        ledger.holds.begin_copy(nowhere, holder="c", ttl_ms=LONG_MS),
        ledger.holds.begin_writing(nowhere, holder="w", ttl_ms=LONG_MS),
        ledger.workspaces.show(nowhere),
    ):
        with pytest.raises(WorkspaceNotFoundError):
            await asked


async def test_a_copy_stops_commits_only_when_it_says_so_and_no_longer_than_it_lives(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.ready()
    hold = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="c", ttl_ms=LONG_MS)
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    assert await ledger.holds.stop_commits(hold)
    assert await ledger.workspaces.awaiting_commit(limit=10) == []
    await ledger.holds.resume(DEFAULT_WORKSPACE)  # not theirs to end
    assert await ledger.workspaces.awaiting_commit(limit=10) == []

    assert await ledger.holds.renew(hold, ttl_ms=GONE_MS)
    assert await ledger.workspaces.awaiting_commit(limit=10) == [DEFAULT_WORKSPACE]
    assert await ledger.holds.renew(hold, ttl_ms=LONG_MS)  # nobody else began meanwhile
    assert await ledger.workspaces.awaiting_commit(limit=10) == []

    assert await ledger.holds.renew(hold, ttl_ms=GONE_MS)
    await ledger.holds.begin_writing(DEFAULT_WORKSPACE, holder="w", ttl_ms=LONG_MS)
    assert not await ledger.holds.renew(hold, ttl_ms=LONG_MS)
    assert not await ledger.holds.stop_commits(hold)


async def test_what_a_copy_began_ends_with_it_and_a_persons_pause_stays(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.ready()
    hold = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="c", ttl_ms=LONG_MS)
    await ledger.holds.stop_commits(hold)
    await ledger.holds.pause(DEFAULT_WORKSPACE)
    await ledger.holds.end(hold)
    assert await shown(ledger) == (True, False)
    await ledger.holds.resume(DEFAULT_WORKSPACE)
    assert await shown(ledger) == (False, False)


async def test_journals_are_kept_for_a_copy_as_long_as_it_lives(
    ledger: Ledger, steps: Steps
) -> None:
    for doc_id in ("before", "last"):
        await steps.committed(doc_id)
    await close_long_ago(ledger)
    hold = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="c", ttl_ms=LONG_MS)
    for doc_id in ("a", "b"):
        await steps.committed(doc_id)
    await close_long_ago(ledger)

    await ledger.journals.remove_old(closed_for_ms=LONG_MS, limit=10)
    assert hold.after_seq == 2
    assert [one.seq for one in await ledger.journals.closed_after(PHYSICAL, 0)] == [3, 4]
    await ledger.holds.end(hold)
    await ledger.journals.remove_old(closed_for_ms=LONG_MS, limit=10)
    assert [one.seq for one in await ledger.journals.closed_after(PHYSICAL, 0)] == [4]


async def test_journals_that_a_store_may_still_lose_count_as_young(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.committed("long ago")
    await close_long_ago(ledger)
    await steps.committed("just now")
    await steps.committing("not yet")
    hold = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="c", ttl_ms=LONG_MS)
    assert hold.after_seq == 1


async def test_without_an_old_journal_all_that_are_kept_count_as_young(
    ledger: Ledger, steps: Steps
) -> None:
    first = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="c", ttl_ms=LONG_MS)
    for doc_id in ("a", "b"):
        await steps.committed(doc_id)
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM journals WHERE seq = 1")
    second = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder="d", ttl_ms=LONG_MS)
    assert (first.after_seq, second.after_seq) == (0, 1)


async def test_a_workspace_is_not_copied_while_a_tool_writes_past_the_journals(
    ledger: Ledger,
) -> None:
    name = DEFAULT_WORKSPACE
    writing = await ledger.holds.begin_writing(name, holder="w", ttl_ms=LONG_MS)
    assert await shown(ledger) == (True, False)
    with pytest.raises(WorkspaceBusyError):
        await ledger.holds.begin_copy(name, holder="c", ttl_ms=LONG_MS)
    await ledger.holds.end(writing)

    copying = await ledger.holds.begin_copy(name, holder="c", ttl_ms=LONG_MS)
    with pytest.raises(WorkspaceBusyError):
        await ledger.holds.begin_writing(name, holder="w", ttl_ms=LONG_MS)
    assert await shown(ledger) == (False, False)  # what was refused left nothing behind
    await ledger.holds.renew(copying, ttl_ms=GONE_MS)
    await ledger.holds.begin_writing(name, holder="w", ttl_ms=LONG_MS)


async def test_of_a_copy_and_a_tool_that_begin_at_once_both_never_go_on(ledger: Ledger) -> None:
    for number in range(10):
        name = WorkspaceName(f"w{number}")
        await ledger.workspaces.create(name)
        begun = await asyncio.gather(
            ledger.holds.begin_copy(name, holder="c", ttl_ms=LONG_MS),
            ledger.holds.begin_writing(name, holder="w", ttl_ms=LONG_MS),
            return_exceptions=True,
        )
        assert [type(one) for one in begun].count(WorkspaceBusyError) == 1


async def test_two_copies_may_run_at_once(ledger: Ledger) -> None:
    for holder in ("c", "d"):
        hold = await ledger.holds.begin_copy(DEFAULT_WORKSPACE, holder=holder, ttl_ms=LONG_MS)
        assert await ledger.holds.stop_commits(hold)
