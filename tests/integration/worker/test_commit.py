"""The one writer of a workspace: alone, in turns, fenced, and safe to repeat."""

import asyncio
from dataclasses import replace

import pytest

from shared.contract.names import TaskName
from shared.contract.payloads import CommitWorkspace
from shared.errors import (
    EmbeddingMismatchError,
    LedgerUnavailableError,
    StoreUnavailableError,
    TaskNotCancellableError,
)
from shared.ids import DocumentId, WorkspaceName
from shared.ledger.records import Task, TaskState
from tests.integration.worker.fleet import LARGE, Fleet
from worker.commit import turn as committer
from worker.commit.apply.files import FilesStore
from worker.commit.operations import Operation

CURIE = "Marie Curie met Pierre Curie in Paris. "
BOHR = "Niels Bohr met Albert Einstein in Copenhagen. "


async def ready(fleet: Fleet, doc_id: str, text: str) -> Task:
    task = await fleet.upload(doc_id, text)
    await fleet.deliver(only=TaskName.PREPARE)
    fleet.lose_messages()
    fleet.embeddings.called.clear()  # chunks have their vectors; the next call is the commit's
    return task


async def test_two_committers_of_a_workspace_do_not_meet(fleet: Fleet) -> None:
    task = await ready(fleet, "doc", CURIE)
    fleet.embeddings.open.clear()
    first = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    await fleet.another_worker().commit()  # returns at once: the workspace is taken
    assert await fleet.state(task) is TaskState.READY
    fleet.embeddings.open.set()
    await first
    assert (await fleet.task(task)).attempt == 1
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_workspaces_are_committed_in_parallel(fleet: Fleet) -> None:
    other = replace(fleet, workspace=WorkspaceName(f"{fleet.workspace}_b"))
    await fleet.context.ledger.workspaces.create(other.workspace)
    held, free = await ready(fleet, "doc", CURIE), await ready(other, "doc", BOHR)
    fleet.embeddings.open.clear()
    committing = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    fleet.embeddings.called.clear()
    waiting = asyncio.create_task(other.commit())
    await fleet.embeddings.called.wait()  # of the other one, while the first still holds its own
    assert await fleet.state(held) is TaskState.READY
    fleet.embeddings.open.set()
    await asyncio.gather(committing, waiting)
    assert await fleet.state(free) is TaskState.SUCCEEDED


async def test_a_busy_workspace_gives_way_after_its_turn_and_asks_to_go_on(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await ready(fleet, f"doc{number}", CURIE)
    monkeypatch.setattr(committer, "TURN_S", 0.0001)  # over when the first group is written
    monkeypatch.setattr(committer, "_MAX_TASKS", 1)
    await fleet.commit()
    states = [task.state for task in (await fleet.context.ledger.tasks.page(limit=9)).rows]
    assert states.count(TaskState.SUCCEEDED) == 1
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]
    await fleet.deliver()
    states = [task.state for task in (await fleet.context.ledger.tasks.page(limit=9)).rows]
    assert states.count(TaskState.SUCCEEDED) == 3


async def test_what_becomes_ready_during_a_turn_is_committed_in_it(fleet: Fleet) -> None:
    await ready(fleet, "first", CURIE)
    fleet.model.open.clear()
    late = await fleet.upload("late", BOHR)
    preparing = asyncio.create_task(fleet.deliver(only=TaskName.PREPARE))
    await fleet.embeddings.called.wait()
    fleet.embeddings.called.clear()
    fleet.embeddings.open.clear()
    working = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    fleet.model.open.set()
    await preparing
    fleet.lose_messages()
    fleet.embeddings.open.set()
    await working
    assert await fleet.state(late) is TaskState.SUCCEEDED


async def test_a_committer_that_lost_its_lease_stops_writing_and_the_next_one_finishes(
    fleet: Fleet,
) -> None:
    undisturbed = replace(fleet, workspace=WorkspaceName(f"{fleet.workspace}_u"))
    await fleet.context.ledger.workspaces.create(undisturbed.workspace)
    await ready(undisturbed, "doc", CURIE)
    await undisturbed.commit()
    task = await ready(fleet, "doc", CURIE)
    fleet.embeddings.open.clear()
    zombie = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    await fleet.let_leases_expire()
    lease = await fleet.context.ledger.workspaces.take_commit_lease(
        fleet.workspace, holder="thief", ttl_ms=60_000
    )
    assert lease is not None
    async with asyncio.timeout(10):
        await zombie  # it notices when it renews, although its call hangs
    assert await fleet.state(task) is TaskState.READY
    assert (await fleet.stored())["nodes"] == {}
    fleet.embeddings.open.set()
    await fleet.context.ledger.workspaces.release_commit_lease(lease)
    await fleet.commit()
    now = await fleet.task(task)
    assert (now.state, now.attempt) == (TaskState.SUCCEEDED, 2)
    ours, expected = await fleet.stored(), await undisturbed.stored()
    assert ours == expected


async def test_a_stopped_commit_goes_back_without_a_strike(fleet: Fleet) -> None:
    task = await ready(fleet, "doc", CURIE)
    fleet.embeddings.open.clear()
    working = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    now = await fleet.task(task)
    assert (now.state, now.strikes, now.error_code) == (TaskState.READY, 0, "stage_interrupted")
    fleet.embeddings.open.set()
    await fleet.commit()  # at once: its lease was given back as well
    assert await fleet.state(task) is TaskState.SUCCEEDED


async def test_a_deleted_document_leaves_nothing(fleet: Fleet) -> None:
    await ready(fleet, "keep", BOHR)
    await fleet.commit()
    before = await fleet.stored()
    await ready(fleet, "doc", CURIE)
    await fleet.commit()
    deletion = await fleet.context.ledger.documents.request_delete(
        fleet.workspace, DocumentId("doc"), request_id=None
    )
    await fleet.commit()
    now = await fleet.task(deletion)
    assert (now.state, now.attempt, now.error_code) == (TaskState.SUCCEEDED, 1, None)
    assert await fleet.stored() == before


async def test_new_bytes_replace_the_old_ones(fleet: Fleet) -> None:
    await ready(fleet, "doc", CURIE)
    await fleet.commit()
    assert "Marie Curie" in (await fleet.stored())["nodes"]
    await ready(fleet, "doc", BOHR)
    await fleet.commit()
    nodes = (await fleet.stored())["nodes"]
    assert "Niels Bohr" in nodes
    assert "Marie Curie" not in nodes


async def test_a_dropped_workspace_comes_back_empty(fleet: Fleet) -> None:
    await ready(fleet, "doc", CURIE)
    await fleet.commit()
    drop = await fleet.context.ledger.workspaces.request_drop(fleet.workspace)
    await fleet.commit()
    assert await fleet.state(drop) is TaskState.SUCCEEDED
    await fleet.context.ledger.workspaces.create(fleet.workspace)
    assert (await fleet.stored())["nodes"] == {}
    again = await ready(fleet, "doc", BOHR)
    await fleet.commit()
    assert await fleet.state(again) is TaskState.SUCCEEDED
    assert "Marie Curie" not in (await fleet.stored())["nodes"]


async def test_a_late_extractor_cannot_refill_a_dropped_workspace(fleet: Fleet) -> None:
    task = await fleet.upload("doc", CURIE)
    fleet.model.open.clear()
    extracting = asyncio.create_task(fleet.deliver(only=TaskName.PREPARE))
    await fleet.model.called.wait()
    await fleet.context.ledger.workspaces.request_drop(fleet.workspace)
    await fleet.commit()
    fleet.model.open.set()
    await extracting
    assert await fleet.state(task) is TaskState.SUPERSEDED
    await fleet.context.ledger.workspaces.create(fleet.workspace)
    await fleet.commit()
    assert (await fleet.stored())["nodes"] == {}


async def test_another_embedding_model_is_refused_with_a_code(fleet: Fleet) -> None:
    late = await ready(fleet, "late", BOHR)
    await fleet.context.ledger.workspaces.remember_embedding(fleet.workspace, model="other", dim=9)
    early = await fleet.upload("early", CURIE)
    await fleet.deliver()
    await fleet.commit()
    for task in (early, late):
        now = await fleet.task(task)
        assert (now.state, now.error_code) == (TaskState.FAILED, EmbeddingMismatchError.code)
    assert (await fleet.stored())["nodes"] == {}


async def test_a_ledger_that_goes_away_after_the_last_write_costs_no_second_one(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await ready(fleet, "doc", CURIE)

    async def gone(*_arguments: object, **_options: object) -> bool:
        raise LedgerUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(fleet.context.ledger.journals, "close", gone)
        await fleet.commit()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.COMMITTING, "ledger_unavailable")
    before = await fleet.stored()
    fleet.embeddings.refused_word = "Curie"  # a second write would need vectors
    await fleet.let_time_pass()
    await fleet.commit()
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.SUCCEEDED, None)
    assert await fleet.stored() == before


async def test_a_store_that_fails_in_the_middle_leaves_a_journal_for_the_next_holder(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [await ready(fleet, "one", CURIE), await ready(fleet, "two", BOHR)]
    applied: list[Operation] = []
    apply = FilesStore.apply

    async def away_after_three(store: FilesStore, operation: Operation) -> None:
        if len(applied) == 3:
            raise StoreUnavailableError
        applied.append(operation)
        await apply(store, operation)

    with monkeypatch.context() as patched:
        patched.setattr(FilesStore, "apply", away_after_three)
        await fleet.commit()
    for task in tasks:
        now = await fleet.task(task)
        assert (now.state, now.error_code) == (TaskState.COMMITTING, "store_unavailable")
    with pytest.raises(TaskNotCancellableError):
        await fleet.context.ledger.tasks.request_cancel(tasks[0].id)
    fleet.embeddings.refused_word = "C"  # nothing is merged or embedded again
    await fleet.another_worker().commit()
    for task in tasks:
        now = await fleet.task(task)
        assert (now.state, now.error_code) == (TaskState.SUCCEEDED, None)
    assert {"Marie Curie", "Niels Bohr"} <= (await fleet.stored())["nodes"].keys()


async def test_cancelling_while_a_group_is_merged_wins_and_the_others_are_committed(
    fleet: Fleet,
) -> None:
    cancelled, kept = await ready(fleet, "one", CURIE), await ready(fleet, "two", BOHR)
    fleet.embeddings.open.clear()
    working = asyncio.create_task(fleet.commit())
    await fleet.embeddings.called.wait()
    await fleet.context.ledger.tasks.request_cancel(cancelled.id)
    fleet.embeddings.open.set()
    await working
    assert await fleet.state(cancelled) is TaskState.CANCELLED
    assert await fleet.state(kept) is TaskState.SUCCEEDED
    assert "Marie Curie" not in (await fleet.stored())["nodes"]


async def test_one_poisonous_document_is_found_and_the_rest_of_its_group_is_committed(
    fleet: Fleet,
) -> None:
    texts = [f"Person{number} Smith met Ann Lee in Oslo. " for number in range(5)]
    good = [await ready(fleet, f"doc{number}", text) for number, text in enumerate(texts)]
    bad = await ready(fleet, "bad", "Poison Ivy met Ann Lee in Gotham City. ")
    fleet.embeddings.refused_word = "Poison"
    await fleet.commit()
    assert {await fleet.state(task) for task in good} == {TaskState.SUCCEEDED}
    now = await fleet.task(bad)
    assert (now.state, now.strikes, now.error_code) == (TaskState.READY, 1, "internal_error")


async def test_a_large_document_is_committed_in_slices_and_nothing_comes_between(
    fleet: Fleet,
) -> None:
    limits = fleet.context.settings.limits.model_copy(update={"commit_max_chunks": 4})
    settings = replace(fleet.context.settings, limits=limits)
    sliced = replace(fleet, context=replace(fleet.context, settings=settings))
    large = await sliced.upload("large", LARGE)
    await sliced.deliver()
    now = await sliced.task(large)
    assert now.state is TaskState.SUCCEEDED
    assert now.chunks_total is not None
    journals = await fleet.context.ledger.journals.closed_after(now.physical, 0)
    assert len(journals) == -(-now.chunks_total // 4)
    assert [journal.outcome.advanced.get(large.id) for journal in journals][:2] == [4, 8]
    assert len((await sliced.stored())["rows"]["text_chunks"]) == now.chunks_total


async def test_a_large_document_given_up_half_way_leaves_nothing(fleet: Fleet) -> None:
    before = await fleet.stored()
    limits = fleet.context.settings.limits.model_copy(update={"commit_max_chunks": 4})
    settings = replace(fleet.context.settings, limits=limits)
    sliced = replace(fleet, context=replace(fleet.context, settings=settings))
    fleet.embeddings.refused_word = "Poison"
    large = await sliced.upload("large", f"{LARGE} Poison Ivy met Ann Lee in Gotham City. ")
    await sliced.run_until_quiet()
    now = await sliced.task(large)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert now.committed_chunks == 0
    after = await sliced.stored()
    assert (after["nodes"], after["edges"], after["vectors"]) == (
        before["nodes"], before["edges"], before["vectors"],
    )  # fmt: skip
    assert after["rows"] == before["rows"]
