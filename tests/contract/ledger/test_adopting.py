"""Documents that came into the stores by another way are listed and treated like ours."""

import pytest

from shared.errors import DocumentNotFoundError
from shared.ids import DEFAULT_WORKSPACE, DocumentId
from shared.ledger.ledger import Ledger
from shared.ledger.records import FoundDocument, TaskKind, TaskState
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload


def a_document(doc_id: str = "doc", *, content: str = "one") -> FoundDocument:
    return FoundDocument(
        doc_id=DocumentId(doc_id),
        file_name=f"{doc_id}\0.txt",
        size_bytes=len(content),
        sha256=f"sha of {content}",
        chunks=3,
        created_at_ms=1_700_000_000_000,
    )


async def adopt(ledger: Ledger, *found: FoundDocument) -> None:
    lease = await ledger.workspaces.take_commit_lease(
        DEFAULT_WORKSPACE, holder="migration", ttl_ms=LONG_MS
    )
    assert lease is not None
    assert await ledger.documents.adopt(lease, found)
    await ledger.workspaces.release_commit_lease(lease)


async def test_an_adopted_document_is_one_that_is_committed(ledger: Ledger) -> None:
    await adopt(ledger, a_document("a"), a_document("b"))

    page = await ledger.documents.page(DEFAULT_WORKSPACE, cursor=None, limit=10)
    document = page.rows[0]
    assert [one.doc_id for one in page.rows] == ["a", "b"]
    assert (document.latest_revision, document.committed_revision) == (1, 1)
    assert (document.chunks, document.file_name) == (3, "a .txt")
    assert document.created_at_ms == 1_700_000_000_000
    task = await ledger.tasks.get(document.latest_task_id)
    assert (task.kind, task.state) == (TaskKind.INSERT, TaskState.SUCCEEDED)
    assert (task.chunks_total, task.chunks_done) == (3, 3)


async def test_the_same_text_is_no_news_and_another_one_is(ledger: Ledger) -> None:
    await adopt(ledger, a_document())

    same = await ledger.documents.accept(an_upload())
    other = await ledger.documents.accept(an_upload(content="two"))
    assert (same.created, same.task.state) == (False, TaskState.SUCCEEDED)
    assert (other.created, other.task.revision) == (True, 2)


async def test_an_adopted_document_can_be_deleted(ledger: Ledger) -> None:
    await adopt(ledger, a_document())

    task = await ledger.documents.request_delete(
        DEFAULT_WORKSPACE, DocumentId("doc"), request_id=None
    )
    assert (task.kind, task.state) == (TaskKind.DELETE, TaskState.READY)


async def test_a_listed_document_stays_as_it_is(ledger: Ledger, steps: Steps) -> None:
    task = await steps.committed("b", content="mine")
    await adopt(ledger, a_document("a"), a_document("b"), a_document("c"))
    await adopt(ledger, a_document("a"))

    assert (await ledger.documents.get(DEFAULT_WORKSPACE, DocumentId("b"))).latest_task_id == (
        task.id
    )
    assert await steps.count("SELECT count(*) FROM tasks") == 3


async def test_without_the_lease_nothing_is_adopted(ledger: Ledger) -> None:
    lease = await ledger.workspaces.take_commit_lease(
        DEFAULT_WORKSPACE, holder="slow", ttl_ms=GONE_MS
    )
    assert lease is not None
    await adopt(ledger)

    assert not await ledger.documents.adopt(lease, [a_document()])
    with pytest.raises(DocumentNotFoundError):
        await ledger.documents.get(DEFAULT_WORKSPACE, DocumentId("doc"))
