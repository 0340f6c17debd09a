"""What goes into the next group of a workspace, in which order, and what goes alone."""

import asyncio

import pytest

from shared.errors import TaskNotCancellableError
from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.records import Outcome, Task, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps


def names(tasks: list[Task]) -> list[str | None]:
    return [task.doc_id for task in tasks]


async def test_a_group_is_taken_in_the_order_in_which_tasks_became_ready(
    ledger: Ledger, steps: Steps
) -> None:
    slow = await steps.preparing("slow")
    await steps.several_ready("b", "a", "c")
    await steps.made_ready(slow)
    assert names(await steps.gather(await steps.lease())) == ["b", "a", "c", "slow"]


@pytest.mark.parametrize(
    ("tasks", "chunks", "expected"),
    [(2, 100, 2), (100, 7, 2), (100, 6, 2), (100, 5, 1), (100, 1, 1), (1, 1, 1), (100, 100, 4)],
)
async def test_a_group_holds_what_its_bounds_allow_and_at_least_one_task(
    steps: Steps, tasks: int, chunks: int, expected: int
) -> None:
    await steps.several_ready("a", "b", "c", "d", chunks=3)
    group = await steps.gather(await steps.lease(), tasks=tasks, chunks=chunks)
    assert names(group) == ["a", "b", "c", "d"][:expected]


async def test_a_large_document_is_not_overtaken_by_small_ones(steps: Steps) -> None:
    await steps.ready("a")
    await steps.ready("large", chunks=50)
    await steps.ready("c")
    async with steps.ledger.database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE tasks SET ready_at_ms = CASE doc_id WHEN 'a' THEN 1 WHEN 'large' THEN 2"
            " ELSE 3 END"
        )
    lease = await steps.lease()
    first = await steps.gather(lease, chunks=10)
    assert names(first) == ["a"]
    await steps.ledger.journals.close(lease, await steps.journal(lease, *first))
    assert names(await steps.gather(lease, chunks=10)) == ["large"]


async def test_a_delete_weighs_what_its_document_weighs(ledger: Ledger, steps: Steps) -> None:
    gone = await steps.committed("gone")
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, gone.doc_id, request_id=None)
    await steps.ready("a")
    lease = await steps.lease()
    assert len(await steps.gather(lease, chunks=5)) == 1
    await ledger.tasks.hand_commits_back(lease, [task.id for task in await steps.gather(lease)])


async def test_gathered_tasks_are_still_ready_and_begun(ledger: Ledger, steps: Steps) -> None:
    _, task = await steps.gathered()
    assert (task.state, task.attempt, task.strikes) == (TaskState.READY, 1, 0)
    assert task.started_at_ms is not None


async def test_a_task_with_strikes_goes_alone(steps: Steps) -> None:
    await steps.several_ready("a", "struck", "c")
    lease = await steps.lease()
    await steps.gather(lease)
    await steps.ledger.tasks.hand_commits_back(lease, [t.id for t in await _page(steps)])
    async with steps.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE tasks SET strikes = 1 WHERE doc_id = 'struck'")
    groups = []
    while group := await steps.gather(lease):
        await steps.ledger.journals.close(lease, await steps.journal(lease, *group))
        groups.append(names(group))
    assert groups == [["a"], ["struck"], ["c"]]


async def test_tasks_whose_committer_died_go_alone_and_bear_a_strike(steps: Steps) -> None:
    await steps.several_ready("a", "b", "c")
    await steps.gather(await steps.lease(ttl_ms=GONE_MS), tasks=2)
    lease = await steps.lease()
    groups = []
    while group := await steps.gather(lease):
        await steps.ledger.journals.close(lease, await steps.journal(lease, *group))
        groups.append([(task.doc_id, task.attempt, task.strikes) for task in group])
    assert groups == [[("a", 2, 1)], [("b", 2, 1)], [("c", 1, 0)]]


async def test_what_was_handed_back_goes_with_the_others_and_bears_no_strike(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.several_ready("a", "b", "c")
    old = await steps.lease(ttl_ms=GONE_MS)
    group = await steps.gather(old)
    await ledger.tasks.hand_commits_back(old, [task.id for task in group])
    again = await steps.gather(await steps.lease())
    assert [(task.doc_id, task.strikes) for task in again] == [("a", 0), ("b", 0), ("c", 0)]


async def test_a_second_look_at_what_this_committer_holds_strikes_nobody(steps: Steps) -> None:
    await steps.several_ready("a", "b")
    lease = await steps.lease()
    await steps.gather(lease)
    again = await steps.gather(lease)
    assert [(task.doc_id, task.attempt, task.strikes) for task in again] == [("a", 1, 0)]


async def test_what_a_journal_holds_is_not_gathered_while_it_is_applied(steps: Steps) -> None:
    lease, _, _ = await steps.committing("journaled")
    await steps.ready("next")
    assert names(await steps.gather(lease)) == ["next"]


async def test_a_drop_goes_alone_and_is_committing_at_once(ledger: Ledger, steps: Steps) -> None:
    await steps.ready()
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    [chosen] = await steps.gather(await steps.lease())
    assert (chosen.id, chosen.state) == (drop.id, TaskState.COMMITTING)
    with pytest.raises(TaskNotCancellableError):
        await ledger.tasks.request_cancel(drop.id)


async def test_a_drop_whose_committer_died_comes_again_with_a_strike(
    ledger: Ledger, steps: Steps
) -> None:
    drop = await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    await steps.gather(await steps.lease(ttl_ms=GONE_MS))
    [again] = await steps.gather(await steps.lease())
    assert (again.id, again.strikes, again.state) == (drop.id, 1, TaskState.COMMITTING)


async def test_a_document_half_in_the_graph_comes_first_and_alone(steps: Steps) -> None:
    lease, large = await steps.advanced("large", chunks=2)
    await steps.ready("small")
    async with steps.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE tasks SET ready_at_ms = 1 WHERE doc_id = 'small'")
    [first] = await steps.gather(lease)
    assert (first.id, first.state, first.committed_chunks) == (large.id, TaskState.COMMITTING, 2)
    assert first.strikes == 0
    journal = await steps.journal(lease, first)
    await steps.ledger.journals.close(lease, journal)
    assert names(await steps.gather(lease)) == ["small"]


async def test_a_half_written_document_whose_committer_died_bears_a_strike(steps: Steps) -> None:
    await steps.advanced()
    await _expire(steps)
    [again] = await steps.gather(await steps.lease(ttl_ms=GONE_MS))
    assert again.strikes == 0  # nobody had it in hand
    [again] = await steps.gather(await steps.lease(ttl_ms=GONE_MS))
    assert (again.strikes, again.committed_chunks) == (1, 2)


async def test_a_group_holds_one_revision_of_a_document(steps: Steps) -> None:
    lease, old = await steps.advanced()
    new = await steps.ready(content="two")
    [first] = await steps.gather(lease)
    assert first.id == old.id
    await steps.postpone(lease, first, delay_ms=LONG_MS)
    assert await steps.gather(lease) == []
    async with steps.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE tasks SET next_attempt_at_ms = NULL")
    await steps.ledger.journals.close(lease, await steps.journal(lease, *await steps.gather(lease)))
    assert [task.id for task in await steps.gather(lease)] == [new.id]


async def test_a_postponed_commit_waits_and_keeps_its_place(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.gathered()
    await steps.postpone(lease, task, delay_ms=LONG_MS)
    shown = await ledger.tasks.get(task.id)
    assert (shown.state, shown.strikes, shown.error_code) == (TaskState.READY, 1, "store_away")
    assert shown.attempt == 2
    assert await steps.gather(lease) == []
    await ledger.workspaces.release_commit_lease(lease)
    assert await ledger.workspaces.awaiting_commit(limit=10) == []


async def test_what_was_overtaken_while_it_was_merged_stays_superseded(
    ledger: Ledger, steps: Steps
) -> None:
    lease, task = await steps.gathered()
    new = await steps.queued(content="two")
    assert await steps.state(task.id) is TaskState.SUPERSEDED
    await steps.postpone(lease, task)
    await ledger.tasks.fail_commit(lease, task.id, error_code="x", error_detail="x")
    assert await steps.state(task.id) is TaskState.SUPERSEDED
    assert await steps.state(new.id) is TaskState.QUEUED


async def test_postponing_and_uploading_at_once_leave_one_open_revision(
    ledger: Ledger, steps: Steps
) -> None:
    for number in range(10):
        lease, task = await steps.gathered(content=f"old {number}")
        await asyncio.gather(steps.postpone(lease, task), steps.queued(content=f"new {number}"))
        assert await steps.state(task.id) is TaskState.SUPERSEDED
        await ledger.workspaces.release_commit_lease(lease)


async def test_a_commit_that_is_given_up_says_why(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.gathered()
    await ledger.tasks.fail_commit(lease, task.id, error_code="poison", error_detail="No.")
    shown = await ledger.tasks.get(task.id)
    assert (shown.state, shown.error_code) == (TaskState.FAILED, "poison")


async def test_an_old_revision_that_comes_late_is_superseded(ledger: Ledger, steps: Steps) -> None:
    task = await steps.ready()
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE documents SET committed_revision = 1")
    fresh = await steps.ready("fresh")
    assert [one.id for one in await steps.gather(await steps.lease())] == [fresh.id]
    assert await steps.state(task.id) is TaskState.SUPERSEDED


async def test_cancelling_wins_until_the_journal_is_written(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.gathered()
    assert (await ledger.tasks.request_cancel(task.id)).state is TaskState.CANCELLED
    outcome = Outcome(succeeded=[task.id])
    assert await ledger.journals.write(lease, outcome, [b"p"]) is None
    assert await steps.state(task.id) is TaskState.CANCELLED


async def test_after_the_journal_cancelling_is_refused(ledger: Ledger, steps: Steps) -> None:
    _, task, _ = await steps.committing()
    with pytest.raises(TaskNotCancellableError):
        await ledger.tasks.request_cancel(task.id)


async def test_cancelling_and_journaling_at_once_have_one_winner(
    ledger: Ledger, steps: Steps
) -> None:
    lease = await steps.lease()
    for number in range(20):
        task = await steps.ready(f"doc-{number}")
        await steps.gather(lease)
        cancelled, journal = await asyncio.gather(
            ledger.tasks.request_cancel(task.id),
            ledger.journals.write(lease, Outcome(succeeded=[task.id]), [b"p"]),
            return_exceptions=True,
        )
        if journal is None:
            assert await steps.state(task.id) is TaskState.CANCELLED
        else:
            assert isinstance(cancelled, TaskNotCancellableError)
            assert not isinstance(journal, BaseException)
            await ledger.journals.close(lease, journal)
            assert await steps.state(task.id) is TaskState.SUCCEEDED


async def test_a_retry_forgets_how_much_was_committed(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.advanced()
    outcome = Outcome(failed={task.id: ("poison", "No.")})
    await steps.gather(lease)
    journal = await ledger.journals.write(lease, outcome, [b"removal"])
    assert journal is not None
    await ledger.journals.close(lease, journal)
    retried = await ledger.tasks.retry(task.id)
    assert (retried.state, retried.committed_chunks) == (TaskState.QUEUED, 0)


async def test_why_nothing_is_committed_shows_on_all_tasks_that_wait_for_it(
    ledger: Ledger, steps: Steps
) -> None:
    other = await steps.ready("other")
    lease = await steps.lease()
    await steps.gather(lease)
    task = await steps.ready("doc")
    await steps.gather(lease)
    await steps.journal(lease, *[t for t in await _page(steps) if t.id == other.id])
    await ledger.tasks.explain_commit_delay(lease, error_code="away", error_detail="Gone.")
    assert (await ledger.tasks.get(other.id)).error_code == "away"
    assert (await ledger.tasks.get(task.id)).error_code == "away"


async def _page(steps: Steps) -> list[Task]:
    return (await steps.ledger.tasks.page(limit=100)).rows


async def _expire(steps: Steps) -> None:
    async with steps.ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE commit_leases SET lease_until_ms = 1")
