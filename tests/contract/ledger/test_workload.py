"""How much work there is, as autoscaling counts it."""

from sqlalchemy import text

from shared.contract.names import QueueName
from shared.ledger.ledger import Ledger
from shared.ledger.workload import WorkSeen
from tests.contract.ledger.steps import Steps

HOUR_S = 3600


def backlogs(seen: WorkSeen) -> dict[str, int]:
    return {queue.value: found.backlog for queue, found in seen.queues.items()}


async def set_back(ledger: Ledger, **columns: int) -> None:
    """Let moments of all tasks be some seconds ago."""
    changes = ", ".join(f"{name} = {name} - {seconds * 1000}" for name, seconds in columns.items())
    async with ledger.database.writing() as connection:
        await connection.execute(text(f"UPDATE tasks SET {changes}"))  # noqa: S608 - ours


async def test_nothing_to_do_is_no_backlog_and_no_age(ledger: Ledger, steps: Steps) -> None:
    await steps.committed()
    seen = await ledger.workload.look()
    assert backlogs(seen) == {"prepare": 0, "extract": 0, "commit": 0}
    assert {found.oldest_task_age_s for found in seen.queues.values()} == {0}
    assert (seen.oldest_ready_s, seen.open_journals) == (0, 0)


async def test_documents_that_wait_or_are_in_hand_are_the_backlog_of_prepare(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.queued("waits")
    await steps.preparing("in hand")
    later = await steps.preparing("postponed")
    await ledger.tasks.postpone(
        later, delay_ms=HOUR_S * 1000, error_code="c", error_detail="d", strike=False
    )
    assert backlogs(await ledger.workload.look())["prepare"] == 2


async def test_batches_that_wait_or_are_in_hand_are_the_backlog_of_extract(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.extracting(batches=5)
    done, later = await steps.batch(task, 0), await steps.batch(task, 1)
    await ledger.batches.finish(done, result=b"r")
    await ledger.batches.postpone(
        later, delay_ms=HOUR_S * 1000, error_code="c", error_detail="d", strike=False
    )
    await steps.batch(task, 2)
    assert backlogs(await ledger.workload.look()) == {"prepare": 0, "extract": 3, "commit": 0}


async def test_workspaces_are_the_backlog_of_commit_however_much_is_ready_in_them(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.several_ready("a", "b", "c")
    assert backlogs(await ledger.workload.look())["commit"] == 1
    lease = await steps.lease()
    await steps.gather(lease)
    assert backlogs(await ledger.workload.look())["commit"] == 1


async def test_age_counts_from_the_beginning_of_the_work_or_from_the_wish_for_it(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.queued("waits")
    await set_back(ledger, created_at_ms=9 * HOUR_S, updated_at_ms=HOUR_S)
    await steps.extracting("runs")
    await set_back(ledger, started_at_ms=2 * HOUR_S)
    queues = (await ledger.workload.look()).queues
    assert HOUR_S <= queues[QueueName.PREPARE].oldest_task_age_s < 2 * HOUR_S
    assert 2 * HOUR_S <= queues[QueueName.EXTRACT].oldest_task_age_s < 3 * HOUR_S


async def test_what_is_ready_waits_for_its_writer_until_it_is_gathered(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.ready()
    await set_back(ledger, ready_at_ms=HOUR_S)
    assert HOUR_S <= (await ledger.workload.look()).oldest_ready_s < 2 * HOUR_S
    [task] = await steps.gather(lease := await steps.lease())
    await steps.journal(lease, task)
    seen = await ledger.workload.look()
    assert (seen.oldest_ready_s, seen.open_journals) == (0, 1)


async def test_a_failure_is_counted_in_the_span_in_which_it_happened(
    ledger: Ledger, steps: Steps
) -> None:
    began_at_ms = await ledger.workload.now_ms() - 1
    claim = await steps.preparing()
    await ledger.tasks.fail(claim, error_code="c", error_detail="d")
    failed = await ledger.tasks.get(claim.task.id)
    at_ms = failed.finished_at_ms or 0
    count = ledger.workload.failed_between
    assert await count(began_at_ms, at_ms) == 1
    assert await count(at_ms, at_ms + HOUR_S) == 0
    assert await count(began_at_ms, at_ms - 1) == 0
