"""A workspace's documents and tasks go from one ledger into another, or beside themselves."""

from typing import Any

from shared.ids import DEFAULT_WORKSPACE, DocumentId, WorkspaceName
from shared.ledger.history import key_here
from shared.ledger.history_records import HistoryEntry
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, TaskState
from shared.ledger.tables import documents, tasks
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps

COPY = WorkspaceName("copy")


async def taken(ledger: Ledger) -> list[HistoryEntry]:
    workspace = await ledger.workspaces.get(DEFAULT_WORKSPACE)
    pages = ledger.history.entries(workspace.name, workspace.physical)
    return [entry async for page in pages for entry in page]


def told(entries: list[HistoryEntry]) -> list[dict[str, Any]]:
    """What entries say, but where the uploads are: each installation has places of its own."""
    skipped = {"tasks": {"__all__": {"object_key"}}}
    return [entry.model_dump(exclude=skipped) for entry in entries]


async def into_copy(ledger: Ledger, steps: Steps, entries: list[HistoryEntry]) -> CommitLease:
    """Restore beside the original, whose tasks have the ids."""
    await ledger.workspaces.create(COPY)
    lease = await steps.lease(COPY)
    assert await ledger.history.restore(lease, entries)
    assert await ledger.history.restore(lease, entries)
    return lease


async def into_emptied(ledger: Ledger, steps: Steps, entries: list[HistoryEntry]) -> CommitLease:
    """Restore where nothing is, as in another installation."""
    async with ledger.database.writing() as connection:
        for table in (tasks, documents):
            await connection.execute(table.delete())
    lease = await steps.lease()
    assert await ledger.history.restore(lease, entries)
    return lease


async def test_another_ledger_tells_the_same(ledger: Ledger, steps: Steps) -> None:
    first = await steps.committed("a")
    second = await steps.committed("a", content="two")
    await steps.committed("b")
    entries = await taken(ledger)

    await into_emptied(ledger, steps, entries)

    assert told(await taken(ledger)) == told(entries)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, DocumentId("a"))
    assert (document.latest_revision, document.committed_revision) == (2, 2)
    assert document.latest_task_id == second.id
    assert (await ledger.tasks.get(first.id)).state is TaskState.SUCCEEDED


async def test_only_uploads_that_may_be_read_again_are_named(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    second = await steps.committed("a", content="two")

    [entry] = await taken(ledger)
    assert [task.object_key for task in entry.tasks] == [None, second.object_key]


async def test_a_task_at_work_begins_anew_and_a_failed_one_stays_failed(
    ledger: Ledger, steps: Steps
) -> None:
    at_work = await steps.extracting("a")
    queued = await steps.queued("b")
    claim = await steps.preparing("c")
    await ledger.tasks.fail(claim, error_code="broken", error_detail="It is broken.")

    await into_emptied(ledger, steps, await taken(ledger))

    for task in (at_work, queued):
        now = await ledger.tasks.get(task.id)
        assert (now.state, now.chunks_total, now.attempt) == (TaskState.QUEUED, None, 0)
        assert now.object_key is not None
    assert (await ledger.tasks.get(claim.task.id)).error_code == "broken"
    assert {task.id for task in await ledger.tasks.unsent(older_than_ms=0, limit=9)} == {
        at_work.id,
        queued.id,
    }


async def test_a_delete_that_waits_is_ready_again(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    delete = await ledger.documents.request_delete(
        DEFAULT_WORKSPACE, DocumentId("a"), request_id=None
    )

    lease = await into_emptied(ledger, steps, await taken(ledger))

    assert [task.id for task in await steps.gather(lease)] == [delete.id]


async def test_a_copy_beside_the_original_has_ids_and_uploads_of_its_own(
    ledger: Ledger, steps: Steps
) -> None:
    original = await steps.committed("a")
    entries = await taken(ledger)

    lease = await into_copy(ledger, steps, entries)

    document = await ledger.documents.get(COPY, DocumentId("a"))
    copied = await ledger.tasks.get(document.latest_task_id)
    assert copied.id != original.id
    assert copied.object_key == key_here(lease.physical, str(original.object_key))
    assert copied.object_key != original.object_key
    assert await taken(ledger) == entries
    assert await ledger.history.missing(COPY, lease.physical, entries) == []


async def test_what_is_not_there_is_missing(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    await steps.committed("b")
    entries = await taken(ledger)
    await ledger.workspaces.create(COPY)
    lease = await steps.lease(COPY)
    await ledger.history.restore(lease, entries[:1])

    assert await ledger.history.missing(COPY, lease.physical, entries) == ["b"]


async def test_what_was_replaced_since_is_not_missing(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed("a")
    entries = await taken(ledger)
    await steps.committed("a", content="two")

    assert await ledger.history.missing(DEFAULT_WORKSPACE, task.physical, entries) == []


async def test_a_listed_document_stays_as_it_is(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    entries = await taken(ledger)
    newer = await steps.committed("a", content="two")
    lease = await steps.lease()

    assert await ledger.history.restore(lease, entries)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, DocumentId("a"))
    assert document.latest_task_id == newer.id


async def test_a_document_may_have_more_tasks_than_a_statement_takes(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.committed("a")
    [entry] = await taken(ledger)
    [one] = entry.tasks
    many = [one.model_copy(update={"id": f"task-{number:05}"}) for number in range(33_000)]
    longer = entry.model_copy(update={"tasks": [one, *many]})

    assert await ledger.history.missing(DEFAULT_WORKSPACE, task.physical, [longer]) == ["a"]


async def test_nothing_is_listed_without_the_lease(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a")
    entries = await taken(ledger)
    await ledger.workspaces.create(COPY)
    lost = await steps.lease(COPY, ttl_ms=GONE_MS)
    assert (await steps.lease(COPY, ttl_ms=LONG_MS)).token > lost.token

    assert not await ledger.history.restore(lost, entries)
    assert await ledger.history.missing(COPY, lost.physical, entries) == ["a"]
