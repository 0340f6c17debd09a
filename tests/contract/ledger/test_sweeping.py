"""What the sweeper finds and removes, and what it must keep."""

from shared.errors import AttemptsExhaustedError
from shared.ids import DEFAULT_WORKSPACE, DocumentId, ObjectKey
from shared.ledger.ledger import Ledger
from shared.ledger.records import TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload

END_OF_TIME_MS = 10**15


async def test_tasks_without_a_message_are_found(ledger: Ledger, steps: Steps) -> None:
    first, second, sent = [await steps.queued(name) for name in ("a", "b", "c")]
    await ledger.tasks.mark_sent(sent.id)
    unsent = await ledger.tasks.unsent(older_than_ms=LONG_MS, limit=10)
    assert [task.id for task in unsent] == [first.id, second.id]
    assert len(await ledger.tasks.unsent(older_than_ms=LONG_MS, limit=1)) == 1


async def test_tasks_whose_message_is_old_are_found_again(ledger: Ledger, steps: Steps) -> None:
    task = await steps.queued()
    await ledger.tasks.mark_sent(task.id)
    assert [one.id for one in await ledger.tasks.unsent(older_than_ms=0, limit=10)] == [task.id]


async def test_work_in_progress_needs_no_message(ledger: Ledger, steps: Steps) -> None:
    await steps.preparing("a")
    await steps.extracting("b")
    await steps.ready("c")
    assert await ledger.tasks.unsent(older_than_ms=0, limit=10) == []


async def test_a_living_worker_keeps_its_task(ledger: Ledger, steps: Steps) -> None:
    await steps.preparing()
    assert await ledger.tasks.expire_leases(max_strikes=5, limit=10) == []


async def test_a_task_that_kills_every_worker_fails(ledger: Ledger, steps: Steps) -> None:
    task = await steps.queued()
    for strikes in (1, 2):
        await steps.claim(task.id, ttl_ms=GONE_MS)
        [task] = await ledger.tasks.expire_leases(max_strikes=2, limit=10)
        assert (task.state, task.strikes) == (TaskState.QUEUED, strikes)
    await steps.claim(task.id, ttl_ms=GONE_MS)
    [task] = await ledger.tasks.expire_leases(max_strikes=2, limit=10)
    assert (task.state, task.error_code) == (TaskState.FAILED, AttemptsExhaustedError.code)


async def test_the_sweeper_never_touches_a_commit(ledger: Ledger, steps: Steps) -> None:
    task = await steps.ready()
    lease = await steps.lease(ttl_ms=GONE_MS)
    await steps.journal(lease, *await steps.gather(lease))
    assert await ledger.tasks.expire_leases(max_strikes=0, limit=10) == []
    assert await steps.state(task.id) is TaskState.COMMITTING


async def test_old_tasks_go_but_the_latest_and_the_committed_stay(
    ledger: Ledger, steps: Steps
) -> None:
    gone = await steps.committed()
    committed = await steps.committed(content="two")
    between = await steps.queued(content="three")
    latest = await steps.queued(content="four")
    await ledger.tasks.request_cancel(latest.id)
    assert await ledger.tasks.remove_old(ended_before_ms=0, limit=10) == 0
    assert await ledger.tasks.remove_old(ended_before_ms=END_OF_TIME_MS, limit=10) == 2
    kept = {task.id for task in (await ledger.tasks.page(limit=10)).rows}
    assert kept == {committed.id, latest.id}
    assert {gone.id, between.id}.isdisjoint(kept)


async def test_a_key_goes_with_its_task(ledger: Ledger, steps: Steps) -> None:
    accepted = await ledger.documents.accept(an_upload(key="k"))
    await ledger.tasks.request_cancel(accepted.task.id)
    await steps.queued(content="two")
    assert await ledger.tasks.remove_old(ended_before_ms=END_OF_TIME_MS, limit=10) == 1
    assert await steps.count("SELECT count(*) FROM upload_keys") == 0
    assert (await ledger.documents.accept(an_upload(content="three", key="k"))).created


async def test_batches_of_ended_tasks_are_removed(ledger: Ledger, steps: Steps) -> None:
    ended = await steps.extracting("ended")
    running = await steps.extracting("running")
    await ledger.tasks.request_cancel(ended.id)
    await ledger.tasks.remove_old(ended_before_ms=0, limit=10)
    assert await ledger.batches.results(ended.id, ended.prepare_attempt) == []
    assert len(await ledger.batches.results(running.id, running.prepare_attempt)) == 2


async def test_bytes_that_may_be_needed_are_kept(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("a", content="superseded")
    await steps.committed("a", content="committed")
    cancelled = await steps.queued("a", content="latest")
    await ledger.tasks.request_cancel(cancelled.id)
    await steps.queued("b", content="open")
    await steps.committed("c", content="deleted")
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, DocumentId("c"), request_id=None)
    await steps.commit_all()
    keys = [
        ObjectKey(f"uploads/{key}")
        for key in ("a/superseded", "a/committed", "a/latest", "b/open", "c/deleted", "d/never")
    ]
    kept = await ledger.tasks.referenced_objects(keys)
    assert kept == {"uploads/a/committed", "uploads/a/latest", "uploads/b/open"}


async def test_a_running_delete_still_keeps_the_bytes(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
    assert await ledger.tasks.referenced_objects([task.object_key]) == {task.object_key}
