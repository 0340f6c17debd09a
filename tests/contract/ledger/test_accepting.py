"""Uploads: same bytes, newer bytes, reused keys, and all of them at the same moment."""

import asyncio

import pytest

from shared.errors import (
    DocumentNotFoundError,
    IdempotencyKeyReusedError,
    WorkspaceNotFoundError,
)
from shared.ids import DEFAULT_WORKSPACE
from shared.ledger.ledger import Ledger
from shared.ledger.records import Accepted, TaskKind, TaskState
from tests.contract.ledger.steps import Steps, an_upload


async def test_an_upload_becomes_a_queued_task(ledger: Ledger) -> None:
    accepted = await ledger.documents.accept(an_upload())
    assert accepted.created
    assert accepted.task.state is TaskState.QUEUED
    document = await ledger.documents.get(DEFAULT_WORKSPACE, accepted.task.doc_id)
    assert (document.latest_revision, document.committed_revision) == (1, 0)
    assert document.latest_task_id == accepted.task.id


async def test_the_same_bytes_are_the_same_task(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    again = await ledger.documents.accept(an_upload())
    assert (again.created, again.task.id) == (False, task.id)


async def test_the_same_bytes_at_the_same_moment_are_one_task(ledger: Ledger, steps: Steps) -> None:
    accepted = await asyncio.gather(*(ledger.documents.accept(an_upload()) for _ in range(20)))
    assert [one.created for one in accepted].count(True) == 1
    assert len({one.task.id for one in accepted}) == 1
    assert await steps.count("SELECT count(*) FROM tasks") == 1


async def test_different_bytes_at_the_same_moment_are_revisions_in_a_row(
    ledger: Ledger, steps: Steps
) -> None:
    accepted = await asyncio.gather(
        *(ledger.documents.accept(an_upload(content=f"text {n}")) for n in range(20))
    )
    assert sorted(one.task.revision for one in accepted) == list(range(1, 21))
    states = {one.task.revision: await steps.state(one.task.id) for one in accepted}
    assert states.pop(20) is TaskState.QUEUED
    assert set(states.values()) == {TaskState.SUPERSEDED}
    document = await ledger.documents.get(DEFAULT_WORKSPACE, accepted[0].task.doc_id)
    assert document.latest_revision == 20


async def test_new_bytes_supersede_work_that_is_not_committing(
    ledger: Ledger, steps: Steps
) -> None:
    extracting = await steps.extracting("a")
    ready = await steps.ready("b")
    await steps.queued("a", content="two")
    await steps.queued("b", content="two")
    assert await steps.state(extracting.id) is TaskState.SUPERSEDED
    assert await steps.state(ready.id) is TaskState.SUPERSEDED


async def test_new_bytes_leave_a_commit_alone(ledger: Ledger, steps: Steps) -> None:
    lease, old, journal = await steps.committing()
    new = await steps.queued(content="two")
    assert await steps.state(old.id) is TaskState.COMMITTING
    assert await ledger.journals.close(lease, journal)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, old.doc_id)
    assert (document.committed_revision, document.latest_task_id) == (1, new.id)


async def test_a_failed_upload_may_be_sent_again(ledger: Ledger, steps: Steps) -> None:
    claim = await steps.preparing()
    await ledger.tasks.fail(claim, error_code="no_text", error_detail="There is no text.")
    assert (await steps.queued()).revision == 2


async def test_the_same_key_is_the_same_task(ledger: Ledger) -> None:
    first = await ledger.documents.accept(an_upload(key="k"))
    again = await ledger.documents.accept(an_upload(key="k"))
    assert (again.created, again.task.id) == (False, first.task.id)


async def test_a_key_also_remembers_an_upload_that_was_there_already(ledger: Ledger) -> None:
    await ledger.documents.accept(an_upload())
    await ledger.documents.accept(an_upload(key="k"))
    with pytest.raises(IdempotencyKeyReusedError):
        await ledger.documents.accept(an_upload(content="two", key="k"))


@pytest.mark.parametrize("other", [an_upload(content="two", key="k"), an_upload("other", key="k")])
async def test_a_key_of_another_upload_is_refused(
    ledger: Ledger, steps: Steps, other: object
) -> None:
    await ledger.documents.accept(an_upload(key="k"))
    with pytest.raises(IdempotencyKeyReusedError):
        await ledger.documents.accept(other)
    assert await steps.count("SELECT count(*) FROM tasks") == 1


async def test_one_key_for_many_documents_at_the_same_moment_has_one_winner(
    ledger: Ledger, steps: Steps
) -> None:
    results = await asyncio.gather(
        *(ledger.documents.accept(an_upload(f"doc-{n}", key="k")) for n in range(20)),
        return_exceptions=True,
    )
    assert len([one for one in results if isinstance(one, Accepted)]) == 1
    assert len([one for one in results if isinstance(one, IdempotencyKeyReusedError)]) == 19
    assert await steps.count("SELECT count(*) FROM tasks") == 1
    assert await steps.count("SELECT count(*) FROM documents") == 1


async def test_one_key_for_one_upload_at_the_same_moment_is_one_task(ledger: Ledger) -> None:
    accepted = await asyncio.gather(
        *(ledger.documents.accept(an_upload(key="k")) for _ in range(20))
    )
    assert [one.created for one in accepted].count(True) == 1
    assert len({one.task.id for one in accepted}) == 1


async def test_an_unknown_workspace_is_named(ledger: Ledger) -> None:
    with pytest.raises(WorkspaceNotFoundError):
        await ledger.documents.accept(an_upload(workspace="nowhere"))


async def test_a_delete_goes_straight_to_the_committer(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    delete = await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id="r")
    assert (delete.kind, delete.state, delete.revision) == (TaskKind.DELETE, TaskState.READY, 2)
    again = await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id="r")
    assert again.id == delete.id
    await steps.commit_all()
    with pytest.raises(DocumentNotFoundError):
        await ledger.documents.get(DEFAULT_WORKSPACE, task.doc_id)
    with pytest.raises(DocumentNotFoundError):
        await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id="r")


async def test_deletes_at_the_same_moment_are_one_task(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    deletes = await asyncio.gather(
        *(
            ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
            for _ in range(10)
        )
    )
    assert len({delete.id for delete in deletes}) == 1


async def test_a_delete_supersedes_a_running_upload(ledger: Ledger, steps: Steps) -> None:
    task = await steps.extracting()
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
    assert await steps.state(task.id) is TaskState.SUPERSEDED


async def test_an_unknown_document_cannot_be_deleted(ledger: Ledger) -> None:
    with pytest.raises(DocumentNotFoundError):
        await ledger.documents.request_delete(DEFAULT_WORKSPACE, "nothing", request_id=None)


async def test_a_deleted_document_can_be_uploaded_again(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed()
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
    await steps.commit_all()
    again = await steps.queued()
    assert again.revision == 3
    document = await ledger.documents.get(DEFAULT_WORKSPACE, task.doc_id)
    assert (document.deleted, document.committed_revision) == (False, 0)


async def test_an_upload_after_a_delete_began_keeps_the_document(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.committed()
    await ledger.documents.request_delete(DEFAULT_WORKSPACE, task.doc_id, request_id=None)
    lease = await steps.lease()
    journal = await steps.journal(lease, *await steps.gather(lease))
    new = await steps.queued()
    assert await ledger.journals.close(lease, journal)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, task.doc_id)
    assert (document.latest_task_id, document.committed_revision) == (new.id, 0)
