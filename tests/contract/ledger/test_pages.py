"""Lists: in order, filtered, and continued by a cursor without gaps or repeats."""

import pytest

from shared.errors import InvalidInputError
from shared.ids import DEFAULT_WORKSPACE, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import TaskState
from tests.contract.ledger.steps import Steps


async def test_tasks_are_listed_newest_first_page_by_page(ledger: Ledger, steps: Steps) -> None:
    ids = [(await steps.queued(f"doc-{number}")).id for number in range(7)]
    seen = []
    cursor = None
    for size in (3, 3, 1):
        page = await ledger.tasks.page(cursor=cursor, limit=3)
        assert len(page.rows) == size
        seen += [task.id for task in page.rows]
        cursor = page.cursor
    assert cursor is None
    assert seen == sorted(ids, reverse=True)


async def test_a_full_last_page_has_no_cursor(ledger: Ledger, steps: Steps) -> None:
    await steps.queued()
    page = await ledger.tasks.page(limit=1)
    assert (len(page.rows), page.cursor) == (1, None)


async def test_tasks_are_filtered(ledger: Ledger, steps: Steps) -> None:
    queued = await steps.queued("a")
    ready = await steps.ready("b")
    by_state = await ledger.tasks.page(state=TaskState.READY, limit=10)
    assert [task.id for task in by_state.rows] == [ready.id]
    by_document = await ledger.tasks.page(
        workspace=DEFAULT_WORKSPACE, doc_id=queued.doc_id, limit=10
    )
    assert [task.id for task in by_document.rows] == [queued.id]
    elsewhere = await ledger.tasks.page(workspace=WorkspaceName("books"), limit=10)
    assert elsewhere.rows == []


async def test_tasks_are_counted_by_state(ledger: Ledger, steps: Steps) -> None:
    await steps.queued("a")
    await steps.ready("b")
    counts = await ledger.tasks.counts()
    assert set(counts) == set(TaskState)
    assert (counts[TaskState.QUEUED], counts[TaskState.READY], sum(counts.values())) == (1, 1, 2)


async def test_documents_are_listed_by_id(ledger: Ledger, steps: Steps) -> None:
    await steps.committed("b")
    await steps.queued("c")
    await steps.queued("a")
    first = await ledger.documents.page(DEFAULT_WORKSPACE, cursor=None, limit=2)
    assert [document.doc_id for document in first.rows] == ["a", "b"]
    rest = await ledger.documents.page(DEFAULT_WORKSPACE, cursor=first.cursor, limit=2)
    assert [document.doc_id for document in rest.rows] == ["c"]
    done = await ledger.documents.page(
        DEFAULT_WORKSPACE, cursor=None, limit=5, state=TaskState.SUCCEEDED
    )
    assert [(document.doc_id, document.chunks) for document in done.rows] == [("b", 3)]


async def test_workspaces_are_listed_by_name(ledger: Ledger) -> None:
    for name in ("books", "archive"):
        await ledger.workspaces.create(WorkspaceName(name))
    first = await ledger.workspaces.page(None, limit=2)
    assert [workspace.name for workspace in first.rows] == ["archive", "books"]
    rest = await ledger.workspaces.page(first.cursor, limit=2)
    assert [workspace.name for workspace in rest.rows] == ["default"]


@pytest.mark.parametrize("cursor", ["?", "a", "ä", "gICA", "dGFz a3", "AA"])
async def test_a_cursor_that_is_not_ours_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        await ledger.tasks.page(cursor=cursor, limit=1)
