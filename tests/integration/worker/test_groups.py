"""Groups: merged whole or in halves, journaled, replayed after an outage, cut in slices."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.contract.names import TaskName
from shared.errors import (
    AppError,
    LedgerUnavailableError,
    StoreUnavailableError,
    TaskNotCancellableError,
)
from shared.ids import DocumentId, PhysicalWorkspace, WorkspaceName
from shared.ledger.records import Task, TaskState
from tests.integration.engine.steps import spend_the_budget
from tests.integration.worker.fleet import LARGE, Fleet
from tests.integration.worker.test_commit import BOHR, CURIE, ready
from worker.commit import group, turn
from worker.commit.apply.files import FilesStore
from worker.commit.apply.store import FencedOffError
from worker.commit.group import Merged
from worker.commit.operations import Kind, Operation
from worker.commit.purge import DeletionIncompleteError, DeletionRefusedError
from worker.commit.unit_of_work.unit import GRAPH_STORAGE, UnitOfWork
from worker.commit.work import Work


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


def limited(fleet: Fleet, **limits: float) -> Fleet:
    """The same fleet under other limits."""
    changed = fleet.context.settings.limits.model_copy(update=limits)
    settings = replace(fleet.context.settings, limits=changed)
    return replace(fleet, context=replace(fleet.context, settings=settings))


async def half_committed(fleet: Fleet) -> Task:
    """A document of which some slices are in the graph, and the last one will never be."""
    task = await fleet.upload("large", f"{LARGE} Poison Ivy met Ann Lee in Gotham City. ")
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.deliver(only=TaskName.EXTRACT)
    fleet.embeddings.refused_word = "Poison"  # from now on: what the commit embeds
    await fleet.deliver()
    now = await fleet.task(task)
    assert now.state is TaskState.COMMITTING
    assert now.committed_chunks > 0
    return now


async def test_a_large_document_is_committed_in_slices(fleet: Fleet) -> None:
    sliced = limited(fleet, commit_max_chunks=4)
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
    sliced = limited(fleet, commit_max_chunks=4)
    large = await half_committed(sliced)
    await sliced.run_until_quiet()
    now = await sliced.task(large)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert now.committed_chunks == 0
    journals = await fleet.context.ledger.journals.closed_after(now.physical, 0)
    assert journals[-1].outcome.failed.keys() == {large.id}
    after = await sliced.stored()
    assert (after["nodes"], after["edges"], after["vectors"]) == (
        before["nodes"], before["edges"], before["vectors"],
    )  # fmt: skip
    assert after["rows"] == before["rows"]


@pytest.mark.parametrize("refusal", [DeletionRefusedError, DeletionIncompleteError])
async def test_a_document_given_up_half_way_that_cannot_be_removed_fails_and_blocks_nobody(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, refusal: type[AppError]
) -> None:
    sliced = limited(fleet, commit_max_chunks=4)
    large = await half_committed(sliced)
    remove = group.remove_documents

    async def refused(unit: UnitOfWork, doc_ids: Sequence[DocumentId]) -> None:
        if large.doc_id in doc_ids:
            raise refusal
        await remove(unit, doc_ids)

    monkeypatch.setattr(group, "remove_documents", refused)
    other = await sliced.upload("other", CURIE)
    for _ in range(5):
        await sliced.let_time_pass()
        await sliced.sweep()
        await sliced.deliver()
    assert await sliced.state(other) is TaskState.SUCCEEDED
    await spend_the_budget(sliced)  # until then, what may pass by itself is tried again
    await sliced.run_until_quiet()
    now = await sliced.task(large)
    assert (now.state, now.error_code) == (TaskState.FAILED, "attempts_exhausted")
    assert "Parts of it stay in the graph" in (now.error_detail or "")


async def test_a_document_given_up_half_way_is_removed_when_the_store_is_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sliced = limited(fleet, commit_max_chunks=4)
    large = await half_committed(sliced)
    remove, outages = group.remove_documents, [StoreUnavailableError()] * 2

    async def away(unit: UnitOfWork, doc_ids: Sequence[DocumentId]) -> None:
        if large.doc_id in doc_ids and outages:
            raise outages.pop()
        await remove(unit, doc_ids)

    monkeypatch.setattr(group, "remove_documents", away)
    await sliced.run_until_quiet()
    assert outages == []
    assert await sliced.state(large) is TaskState.FAILED
    assert (await sliced.stored())["nodes"] == {}


async def test_a_merge_that_hangs_ends_by_its_deadline_and_its_neighbour_is_committed(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = limited(fleet, stage_timeout_s=2)
    hangs, fine = await ready(hasty, "hangs", CURIE), await ready(hasty, "fine", BOHR)
    merge = turn.merge_group

    async def hanging(works: Sequence[Work], *arguments: Any, **options: Any) -> Merged:
        if hangs.doc_id in [work.doc_id for work in works]:
            await asyncio.Event().wait()
        return await merge(works, *arguments, **options)

    monkeypatch.setattr(turn, "merge_group", hanging)
    await hasty.commit()
    assert (await hasty.task(hangs)).error_code == "deadline_exceeded"
    assert await hasty.state(fine) is TaskState.SUCCEEDED


async def test_a_group_that_is_merged_while_the_one_before_is_applied_reads_it_as_if_it_were_done(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = replace(fleet, workspace=WorkspaceName(f"{fleet.workspace}_u"))
    await fleet.context.ledger.workspaces.create(undisturbed.workspace)
    shared = f"Marie Curie met Niels Bohr in Paris. {CURIE}"
    for doc_id, text in (("one", CURIE), ("two", shared)):
        await ready(undisturbed, doc_id, text)
        await undisturbed.commit()
    await ready(fleet, "one", CURIE)
    await ready(fleet, "two", shared)
    merged: list[Merged] = []
    both = asyncio.Event()
    merge, apply = turn.merge_group, FilesStore.apply

    async def noticed(*arguments: Any, **options: Any) -> Merged:
        merged.append(await merge(*arguments, **options))
        if len(merged) == 2:
            both.set()
        return merged[-1]

    async def late(store: FilesStore, operation: Operation) -> None:
        await both.wait()
        await apply(store, operation)

    monkeypatch.setattr(turn, "merge_group", noticed)
    monkeypatch.setattr(turn, "_MAX_TASKS", 1)
    monkeypatch.setattr(FilesStore, "apply", late)
    async with asyncio.timeout(60):
        await fleet.commit()
    ours, expected = await fleet.stored(), await undisturbed.stored()
    assert ours == expected


async def test_a_folder_knows_its_last_journal_and_takes_nothing_from_who_lost_the_lease(
    fleet: Fleet,
) -> None:
    held = True

    async def is_held() -> bool:
        return held

    await ready(fleet, "doc", CURIE)
    await fleet.commit()
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        store = FilesStore(rag, is_held)
        assert await store.applied_seq() == 1
        held = False
        with pytest.raises(FencedOffError):
            await store.apply(Operation(Kind.REMOVE_NODES, GRAPH_STORAGE, ["Marie Curie"]))
        with pytest.raises(FencedOffError):
            await store.finish(2)
        assert await store.applied_seq() == 1
    assert "Marie Curie" in (await fleet.stored())["nodes"]
