"""What a closed journal makes of its tasks and of their documents."""

from shared.ids import DEFAULT_WORKSPACE, DocumentId
from shared.ledger.ledger import Ledger
from shared.ledger.records import Outcome, Task, TaskState
from tests.contract.ledger.steps import Steps


async def test_success_shows_in_the_document_and_frees_the_batches(
    ledger: Ledger, steps: Steps
) -> None:
    task = await steps.committed()
    assert (task.state, task.cancel_requested) == (TaskState.SUCCEEDED, False)
    assert (task.finished_at_ms is None, task.object_key is None) == (False, False)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, _doc(task))
    assert (document.committed_revision, document.chunks) == (1, 3)
    assert await ledger.batches.results(task.id, task.prepare_attempt) == []


async def test_a_group_of_inserts_and_deletes_is_settled_at_once(
    ledger: Ledger, steps: Steps
) -> None:
    gone = await steps.committed("gone")
    kept = await steps.committed("kept")
    deletes = [
        await ledger.documents.request_delete(DEFAULT_WORKSPACE, _doc(task), request_id=None)
        for task in (gone, kept)
    ]
    insert = await steps.ready("new")
    lease = await steps.lease()
    group = await steps.gather(lease)
    assert {task.id for task in group} == {insert.id, *(task.id for task in deletes)}
    journal = await steps.journal(lease, *group)
    upload = await steps.queued("kept", content="again")
    assert await ledger.journals.close(lease, journal)
    assert {await steps.state(task.id) for task in group} == {TaskState.SUCCEEDED}
    documents = {
        name: await ledger.documents.get(DEFAULT_WORKSPACE, DocumentId(name))
        for name in ("kept", "new")
    }
    assert documents["kept"].latest_task_id == upload.id
    shown = [(d.committed_revision, d.deleted, d.chunks) for d in documents.values()]
    assert shown == [(0, False, None), (1, False, 3)]
    assert await steps.texts("SELECT doc_id FROM documents WHERE deleted") == ["gone"]


async def test_an_advanced_document_is_in_the_graph_in_no_revision(
    ledger: Ledger, steps: Steps
) -> None:
    old = await steps.committed()
    _, task = await steps.advanced(content="two", chunks=2)
    assert (task.state, task.committed_chunks, task.strikes) == (TaskState.COMMITTING, 2, 0)
    document = await ledger.documents.get(DEFAULT_WORKSPACE, _doc(old))
    assert (document.committed_revision, document.chunks, document.deleted) == (0, None, False)
    assert len(await ledger.batches.results(task.id, task.prepare_attempt)) == 1


async def test_a_document_given_up_half_way_fails_and_is_out_of_the_graph(
    ledger: Ledger, steps: Steps
) -> None:
    await steps.committed()
    lease, task = await steps.advanced(content="two")
    await steps.gather(lease)
    outcome = Outcome(failed={task.id: ("poison", "No.")})
    journal = await ledger.journals.write(lease, outcome, [b"removal"])
    assert journal is not None
    assert await ledger.journals.close(lease, journal)
    now = await ledger.tasks.get(task.id)
    assert (now.state, now.error_code, now.error_detail) == (TaskState.FAILED, "poison", "No.")
    assert now.committed_chunks == 0
    document = await ledger.documents.get(DEFAULT_WORKSPACE, _doc(task))
    assert (document.committed_revision, document.deleted) == (0, False)


def _doc(task: Task) -> DocumentId:
    assert task.doc_id is not None
    return task.doc_id
