"""The one writer of a workspace: alone, in turns, fenced, and safe to repeat."""

import asyncio
from dataclasses import replace

import pytest

from shared.contract.names import TaskName
from shared.contract.payloads import CommitWorkspace
from shared.errors import EmbeddingMismatchError
from shared.ids import DocumentId, WorkspaceName
from shared.ledger.records import CommitLease, Task, TaskState
from shared.settings import load_settings
from tests.integration.worker.fleet import LARGE, Fleet
from tests.models import DIM
from worker.commit import turn as committer

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
    other = replace(fleet, workspace=WorkspaceName(f"{fleet.workspace}_other"))
    await fleet.context.ledger.workspaces.create(other.workspace)
    await ready(other, "waits", BOHR)
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


async def test_a_workspace_that_nobody_waits_behind_goes_on_after_its_turn(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await ready(fleet, f"doc{number}", CURIE)
    monkeypatch.setattr(committer, "TURN_S", 0.0001)  # over when the first group is written
    monkeypatch.setattr(committer, "_MAX_TASKS", 1)
    await fleet.commit()
    states = {task.state for task in (await fleet.context.ledger.tasks.page(limit=9)).rows}
    assert states == {TaskState.SUCCEEDED}
    assert fleet.sender.sent == []


async def test_what_becomes_ready_during_a_turn_is_committed_in_it_without_a_message(
    fleet: Fleet,
) -> None:
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
    assert fleet.sender.sent == []
    fleet.embeddings.open.set()
    await working
    assert await fleet.state(late) is TaskState.SUCCEEDED


async def test_what_becomes_ready_after_the_last_look_of_a_turn_is_asked_for_at_its_end(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(fleet, "first", CURIE)
    release = fleet.context.ledger.workspaces.release_commit_lease

    async def released_late(lease: CommitLease) -> None:
        await fleet.upload("late", BOHR)
        await fleet.deliver(only=TaskName.PREPARE)
        assert fleet.sender.sent == []
        await release(lease)

    monkeypatch.setattr(fleet.context.ledger.workspaces, "release_commit_lease", released_late)
    await fleet.commit()
    assert fleet.sender.sent == [CommitWorkspace(workspace=fleet.workspace)]


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
    late = await ready(fleet, "late", BOHR)  # its chunks have vectors of the first model
    variables = {"PROVIDER": "ollama", "MODEL": "other", "DIM": str(DIM)}
    other = load_settings(
        None, overrides={f"EMBEDDING_{name}": value for name, value in variables.items()}
    )
    settings = replace(fleet.context.settings, embedding=other.embedding)
    restarted = replace(fleet, context=replace(fleet.context, settings=settings))
    early = await restarted.upload("early", CURIE)
    await restarted.deliver()
    await restarted.commit()
    for task in (early, late):
        now = await fleet.task(task)
        assert (now.state, now.error_code) == (TaskState.FAILED, EmbeddingMismatchError.code)
    assert (await fleet.stored())["nodes"] == {}


async def test_batches_of_two_embedding_models_do_not_meet(fleet: Fleet) -> None:
    task = await fleet.upload("large", LARGE)
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.context.ledger.workspaces.remember_embedding(fleet.workspace, model="other", dim=9)
    await fleet.deliver(only=TaskName.EXTRACT)
    now = await fleet.task(task)
    assert (now.state, now.error_code) == (TaskState.FAILED, EmbeddingMismatchError.code)
