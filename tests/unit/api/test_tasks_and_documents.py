"""Looking at tasks and documents, and what can be done to them."""

import pytest

from shared.contract.payloads import CommitWorkspace, PrepareDocument
from shared.ids import DEFAULT_WORKSPACE, TaskId
from shared.ledger.records import TaskState
from tests.unit.api.conftest import Api
from tests.unit.api.problems import require_problem


async def insert(api: Api, content: bytes = b"text", **fields: str) -> str:
    response = await api.insert(content, **fields)
    assert response.status_code == 202, response.text
    task_id: str = response.json()["task_id"]
    return task_id


async def fail(api: Api, task_id: str) -> None:
    claim = await api.ledger.tasks.claim(TaskId(task_id), holder="test", ttl_ms=60_000)
    assert claim is not None
    await api.ledger.tasks.fail(claim, error_code="no_text_layer", error_detail="Scanned pages.")


async def test_a_task_shows_where_it_stands(api: Api) -> None:
    task_id = await insert(api, doc_id="d")
    task = (await api.client.get(f"/tasks/{task_id}")).json()
    assert task["id"] == task_id
    assert (task["state"], task["stage"], task["kind"]) == ("queued", "prepare", "insert")
    assert (task["workspace"], task["doc_id"], task["revision"]) == ("default", "d", 1)
    assert (task["file_name"], task["size_bytes"], task["attempt"]) == ("a.txt", 4, 0)
    assert task["chunks"] == {"done": 0, "total": None}
    assert task["created_at"].endswith("Z")
    assert (task["error"], task["finished_at"]) == (None, None)


async def test_a_failed_task_says_why(api: Api) -> None:
    task_id = await insert(api)
    await fail(api, task_id)
    task = (await api.client.get(f"/tasks/{task_id}")).json()
    assert (task["state"], task["stage"]) == ("failed", None)
    assert task["error"] == {"code": "no_text_layer", "detail": "Scanned pages."}
    assert task["finished_at"].endswith("Z")


@pytest.mark.parametrize("task_id", ["task-0", "%00", "../x", "ä", "'; DROP TABLE tasks"])
async def test_an_unknown_task_is_not_found(api: Api, task_id: str) -> None:
    response = await api.client.get(f"/tasks/{task_id}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("task_id", ["%00", "%20", "ä", "x" * 65])
async def test_the_ledger_is_not_asked_for_what_is_no_task_id(
    api: Api, task_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL answers a NUL with an error of its own, which would be a 500."""
    monkeypatch.delattr(type(api.ledger.tasks), "get")
    require_problem(await api.client.get(f"/tasks/{task_id}"), 404, "task_not_found")


@pytest.mark.parametrize("action", ["cancel", "retry"])
async def test_nothing_can_be_done_to_an_unknown_task(api: Api, action: str) -> None:
    require_problem(await api.client.post(f"/tasks/task-0/{action}"), 404, "task_not_found")


async def test_tasks_come_in_pages_newest_first(api: Api) -> None:
    ids = [await insert(api, str(index).encode()) for index in range(5)]
    seen: list[str] = []
    cursor = None
    while cursor or not seen:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.client.get("/tasks", params=query)).json()
        seen += [task["id"] for task in page["tasks"]]
        cursor = page["cursor"]
    assert seen == ids[::-1]


async def test_tasks_are_filtered_by_state_document_and_workspace(api: Api) -> None:
    await api.client.post("/workspaces", json={"name": "other"})
    wanted = await insert(api, doc_id="d")
    await insert(api, doc_id="e")
    await insert(api, doc_id="d", lightrag_workspace="other")

    async def ids(**query: str) -> list[str]:
        page = (await api.client.get("/tasks", params=query)).json()
        return [task["id"] for task in page["tasks"]]

    assert await ids(doc_id="d", state="queued") == [wanted]
    assert await ids(state="failed") == []
    assert len(await ids()) == 2


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid_request"),
        ("limit=201", 422, "invalid_request"),
        ("limit=x", 422, "invalid_request"),
        ("state=gone", 422, "invalid_request"),
        ("cursor=" + "x" * 501, 422, "invalid_request"),
        ("cursor=nonsense", 400, "invalid_input"),
        ("cursor=%F0%9F%92%A9", 400, "invalid_input"),
    ],
)
@pytest.mark.parametrize("path", ["/tasks", "/documents"])
async def test_an_odd_page_is_refused(
    api: Api, path: str, query: str, status: int, code: str
) -> None:
    require_problem(await api.client.get(f"{path}?{query}"), status, code)


async def test_tasks_of_an_impossible_doc_id_are_refused(api: Api) -> None:
    response = await api.client.get("/tasks", params={"doc_id": "a/b"})
    require_problem(response, 400, "invalid_doc_id")


async def test_a_waiting_task_is_cancelled_at_once(api: Api) -> None:
    task_id = await insert(api)
    assert (await api.client.post(f"/tasks/{task_id}/cancel")).json()["state"] == "cancelled"
    assert (await api.client.post(f"/tasks/{task_id}/cancel")).json()["state"] == "cancelled"


async def test_an_ended_task_cannot_be_cancelled(api: Api) -> None:
    task_id = await insert(api)
    await fail(api, task_id)
    response = await api.client.post(f"/tasks/{task_id}/cancel")
    require_problem(response, 409, "task_not_cancellable")


async def test_a_failed_task_runs_again_on_demand(api: Api) -> None:
    task_id = await insert(api)
    await fail(api, task_id)
    api.sender.sent.clear()
    task = (await api.client.post(f"/tasks/{task_id}/retry")).json()
    assert (task["state"], task["error"]) == ("queued", None)
    assert [type(message) for message in api.sender.sent] == [PrepareDocument]


async def test_a_task_that_is_fine_is_not_retried(api: Api) -> None:
    response = await api.client.post(f"/tasks/{await insert(api)}/retry")
    require_problem(response, 409, "task_not_retryable")


async def test_documents_are_listed_and_shown(api: Api) -> None:
    task_id = await insert(api, doc_id="d:1")
    listed = (await api.client.get("/documents")).json()
    shown = (await api.client.get("/documents/d:1")).json()
    assert listed == {"documents": [shown], "cursor": None}
    assert (shown["doc_id"], shown["file_name"], shown["size_bytes"]) == ("d:1", "a.txt", 4)
    assert (shown["state"], shown["task_id"]) == ("queued", task_id)
    assert (shown["latest_revision"], shown["committed_revision"]) == (1, 0)


async def test_an_unknown_document_is_not_found(api: Api) -> None:
    require_problem(await api.client.get("/documents/x"), 404, "document_not_found")
    require_problem(await api.client.delete("/documents/x"), 404, "document_not_found")


async def test_an_impossible_doc_id_is_refused(api: Api) -> None:
    require_problem(await api.client.get("/documents/-x"), 400, "invalid_doc_id")
    require_problem(await api.client.delete("/documents/%20"), 400, "invalid_doc_id")


async def test_deleting_a_document_is_a_task_for_the_one_writer(api: Api) -> None:
    await insert(api, doc_id="d")
    api.sender.sent.clear()
    response = await api.client.delete("/documents/d")
    assert response.status_code == 202
    task = (await api.client.get(response.headers["location"])).json()
    assert (task["kind"], task["state"], task["doc_id"]) == ("delete", "ready", "d")
    assert api.sender.sent == [CommitWorkspace(workspace=DEFAULT_WORKSPACE)]


async def test_with_the_broker_down_deleting_is_accepted_all_the_same(api: Api) -> None:
    await insert(api, doc_id="d")
    api.sender.available = False
    response = await api.client.delete("/documents/d")
    assert response.status_code == 202
    task = await api.ledger.tasks.get(TaskId(response.json()["task_id"]))
    assert task.state is TaskState.READY


async def test_the_same_bytes_run_again_after_they_failed(api: Api) -> None:
    task_id = await insert(api, doc_id="d")
    await fail(api, task_id)
    assert await insert(api, doc_id="d") != task_id
