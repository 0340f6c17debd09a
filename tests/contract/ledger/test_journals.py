"""The redo journal: all or nothing with its tasks, one open at a time, settled once."""

import asyncio
import os

import pytest

from shared.errors import JournalRemovedError
from shared.ids import DEFAULT_WORKSPACE, PhysicalWorkspace, TaskId, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, Journal, Outcome, Task, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload

DEFAULT = PhysicalWorkspace("default")
BOOKS = WorkspaceName("books")


@pytest.mark.parametrize("what", ["cancelled", "superseded", "handed back", "lease lost"])
async def test_a_journal_is_written_with_all_of_its_tasks_or_not_at_all(
    ledger: Ledger, steps: Steps, what: str
) -> None:
    lease, (first, second) = await _group(steps)
    if what == "cancelled":
        await ledger.tasks.request_cancel(second.id)
    elif what == "superseded":
        await steps.queued("b", content="two")
    elif what == "handed back":
        await ledger.tasks.hand_commits_back(lease, [second.id])
    else:
        await _expire(ledger)
        await steps.lease()
    before = await steps.state(second.id)
    outcome = Outcome(succeeded=[first.id, second.id])
    assert await ledger.journals.write(lease, outcome, [b"one", b"two"]) is None
    assert await steps.state(first.id) is TaskState.READY
    assert await steps.state(second.id) is before
    assert await steps.count("SELECT count(*) FROM journals") == 0
    assert await steps.count("SELECT count(*) FROM journal_parts") == 0


async def test_a_written_journal_makes_its_whole_group_committing(
    ledger: Ledger, steps: Steps
) -> None:
    lease, group = await _group(steps)
    await steps.journal(lease, *group)
    assert {await steps.state(task.id) for task in group} == {TaskState.COMMITTING}


async def test_new_bytes_leave_a_journaled_revision_alone(ledger: Ledger, steps: Steps) -> None:
    lease, task, journal = await steps.committing()
    await steps.queued(content="two")
    assert await ledger.journals.close(lease, journal)
    assert await steps.state(task.id) is TaskState.SUCCEEDED


async def test_the_journal_that_is_open_is_found_as_it_was_written(
    ledger: Ledger, steps: Steps
) -> None:
    assert await ledger.journals.unfinished(DEFAULT) is None
    lease, group = await _group(steps, "a", "b", "c")
    a, b, c = (task.id for task in group)
    outcome = Outcome(succeeded=[a], advanced={b: 7}, failed={c: ("code", "Why.")})
    written = await ledger.journals.write(lease, outcome, [b"123", b"45"])
    found = await ledger.journals.unfinished(DEFAULT)
    assert found == written
    assert found is not None
    assert (found.outcome, found.size_bytes, found.seq) == (outcome, 5, 1)
    assert await ledger.journals.close(lease, found)
    assert await ledger.journals.unfinished(DEFAULT) is None


async def test_a_workspace_has_one_open_journal(ledger: Ledger, steps: Steps) -> None:
    lease, (first, second) = await _group(steps)
    await steps.journal(lease, first)
    with pytest.raises(Exception, match=r"ix_journals_open|journals\.physical"):
        await steps.journal(lease, second)
    assert await steps.state(second.id) is TaskState.READY
    assert await steps.count("SELECT count(*) FROM journals") == 1


async def test_numbers_grow_by_one_in_each_workspace(ledger: Ledger, steps: Steps) -> None:
    await ledger.workspaces.create(BOOKS)
    seqs = [await _commit(steps, f"doc{number}") for number in range(3)]
    upload = an_upload(workspace=BOOKS)
    claim = await steps.claim((await ledger.documents.accept(upload)).task.id)
    await steps.made_ready(claim)
    lease = await steps.lease(BOOKS)
    other = await steps.journal(lease, *await steps.gather(lease))
    seqs.append(await _commit(steps, "last"))
    assert (seqs, other.seq) == ([1, 2, 3, 4], 1)
    assert await ledger.journals.last_seq(DEFAULT) == 4
    assert await ledger.journals.last_seq(other.physical) == 0  # it is not closed
    assert [j.seq for j in await ledger.journals.closed_after(DEFAULT, 2)] == [3, 4]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b""],
        [bytes(range(256)), b"\x00\xff", b"last"],
        [os.urandom(8 * 1024 * 1024), b"small", os.urandom(1024)],
    ],
    ids=["none", "empty", "odd bytes", "eight megabytes"],
)
async def test_parts_come_back_in_order_and_byte_for_byte(
    ledger: Ledger, steps: Steps, parts: list[bytes]
) -> None:
    lease, task = await steps.gathered()
    journal = await steps.journal(lease, task, parts=parts)
    assert [part async for part in ledger.journals.parts(journal)] == parts
    assert journal.size_bytes == sum(map(len, parts))


async def test_more_than_ten_parts_come_in_the_order_of_their_numbers(
    ledger: Ledger, steps: Steps
) -> None:
    lease, task = await steps.gathered()
    parts = [str(number).encode() for number in range(23)]
    journal = await steps.journal(lease, task, parts=parts)
    assert [part async for part in ledger.journals.parts(journal)] == parts


async def test_a_journal_that_is_removed_while_it_is_read_does_not_look_whole(
    ledger: Ledger, steps: Steps
) -> None:
    lease, task = await steps.gathered()
    journal = await steps.journal(lease, task, parts=[b"one", b"two"])
    reading = ledger.journals.parts(journal)
    assert await anext(reading) == b"one"
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM journals")
    with pytest.raises(JournalRemovedError):
        await anext(reading)


async def test_closing_twice_settles_once(ledger: Ledger, steps: Steps) -> None:
    lease, task = await steps.gathered()
    outcome = Outcome(failed={task.id: ("poison", "No.")})
    journal = await ledger.journals.write(lease, outcome, [b"p"])
    assert journal is not None
    closed = await asyncio.gather(*(ledger.journals.close(lease, journal) for _ in range(5)))
    assert closed == [True] * 5
    await ledger.tasks.retry(task.id)
    assert await ledger.journals.close(lease, journal)
    assert await steps.state(task.id) is TaskState.QUEUED


async def test_the_next_holder_closes_what_a_dead_one_wrote(ledger: Ledger, steps: Steps) -> None:
    await steps.ready()
    dead = await steps.lease(ttl_ms=GONE_MS)
    written = await steps.journal(dead, *await steps.gather(dead))
    lease = await steps.lease()
    journal = await ledger.journals.unfinished(DEFAULT)
    assert journal == written
    assert journal is not None
    assert not await ledger.journals.close(dead, journal)
    assert await ledger.journals.close(lease, journal)
    assert await ledger.tasks.counts() | {TaskState.SUCCEEDED: 1} == await ledger.tasks.counts()


async def test_journaled_tasks_can_neither_fail_nor_be_put_off(
    ledger: Ledger, steps: Steps
) -> None:
    lease, (journaled, waiting) = await _group(steps)
    journal = await steps.journal(lease, journaled)
    before = await ledger.tasks.get(journaled.id)
    await steps.postpone(lease, journaled, waiting, delay_ms=LONG_MS)
    await ledger.tasks.fail_commit(lease, journaled.id, error_code="x", error_detail="x")
    assert await ledger.tasks.get(journaled.id) == before
    assert (await ledger.tasks.get(waiting.id)).error_code == "store_away"
    assert await ledger.journals.close(lease, journal)
    assert await steps.state(journaled.id) is TaskState.SUCCEEDED


async def test_old_journals_go_but_never_the_last_and_never_an_open_one(
    ledger: Ledger, steps: Steps
) -> None:
    for number in range(4):
        await _commit(steps, f"doc{number}")
    lease = await steps.lease()
    await steps.ready("open")
    await steps.journal(lease, *await steps.gather(lease))
    assert await ledger.journals.remove_old(closed_for_ms=LONG_MS, limit=10) == 0
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE journals SET closed_at_ms = 1 WHERE seq IN (1, 2, 4)"
        )
    assert await ledger.journals.remove_old(closed_for_ms=LONG_MS, limit=1) == 1
    assert [j.seq for j in await ledger.journals.closed_after(DEFAULT, 0)] == [2, 3, 4]
    assert await ledger.journals.remove_old(closed_for_ms=GONE_MS, limit=10) == 3
    assert [j.seq for j in await ledger.journals.closed_after(DEFAULT, 0)] == []
    journal = await ledger.journals.unfinished(DEFAULT)
    assert journal is not None
    assert await steps.count("SELECT count(*) FROM journal_parts") == 1
    assert await ledger.journals.close(lease, journal)
    assert await ledger.journals.remove_old(closed_for_ms=-LONG_MS, limit=10) == 0
    assert await ledger.journals.last_seq(DEFAULT) == 5


async def test_an_operation_is_kept_in_quarantine_once(ledger: Ledger, steps: Steps) -> None:
    _, _, journal = await steps.committing()
    for why in ("No \0 room.", "Another reason."):
        await ledger.journals.quarantine(journal, digest="d", operation=b"\0op", why=why)
    await ledger.journals.quarantine(journal, digest="e", operation=b"op", why="Half \ud800.")
    found = await steps.texts("SELECT reason FROM quarantine ORDER BY digest")
    assert found == ["No   room.", "Half ?."]


async def test_a_dropped_generation_leaves_no_journal_and_the_next_one_begins_anew(
    ledger: Ledger, steps: Steps
) -> None:
    await _commit(steps, "doc")
    _, _, journal = await _committed_journal(steps, "doc2")
    await ledger.journals.quarantine(journal, digest="d", operation=b"op", why="No.")
    await ledger.workspaces.create(BOOKS)
    async with ledger.database.writing() as connection:
        for physical in (DEFAULT, BOOKS):
            await connection.exec_driver_sql(
                f"INSERT INTO applied_journals (physical, seq) VALUES ('{physical}', 2)"  # noqa: S608 - constants
            )
    await ledger.workspaces.request_drop(DEFAULT_WORKSPACE)
    lease = await steps.lease()
    [drop] = await steps.gather(lease)
    assert await ledger.workspaces.finish_drop(lease, drop.id)
    await ledger.workspaces.release_commit_lease(lease)
    assert await steps.texts("SELECT physical FROM journals") == []
    assert await steps.texts("SELECT physical FROM journal_parts") == []
    assert await steps.texts("SELECT physical FROM applied_journals") == [BOOKS]
    assert await steps.texts("SELECT physical FROM quarantine") == [DEFAULT]
    assert await _commit(steps, "fresh") == 1
    assert await steps.texts("SELECT physical FROM journals") == ["default__g2"]


async def _group(steps: Steps, *names: str) -> tuple[CommitLease, list[Task]]:
    await steps.several_ready(*(names or ("a", "b")))
    lease = await steps.lease()
    return lease, await steps.gather(lease)


async def _committed_journal(steps: Steps, doc_id: str) -> tuple[CommitLease, Task, Journal]:
    lease, task, journal = await steps.committing(doc_id)
    assert await steps.ledger.journals.close(lease, journal)
    await steps.ledger.workspaces.release_commit_lease(lease)
    return lease, task, journal


async def _commit(steps: Steps, doc_id: str) -> int:
    return (await _committed_journal(steps, doc_id))[2].seq


async def _expire(ledger: Ledger) -> None:
    async with ledger.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE commit_leases SET lease_until_ms = 1")


def test_an_outcome_names_all_of_its_tasks() -> None:
    one, two, three = (TaskId(name) for name in ("a", "b", "c"))
    outcome = Outcome(succeeded=[one], advanced={two: 1}, failed={three: ("x", "y")})
    assert outcome.task_ids == [one, two, three]
