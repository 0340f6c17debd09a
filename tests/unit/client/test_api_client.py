"""The client: what it sends, and what it makes of answers."""

from pathlib import Path

import httpx
import pytest

from ops.client import api_client
from ops.client.api_client import ApiClient
from ops.client.failures import ApiProblemError, ServerNotReachableError
from tests.unit.client.scripted_api import ScriptedApi

RECEIPT = {"task_id": "task-1", "doc_id": "doc-1", "status_url": "/tasks/task-1"}
DOWN = httpx.Response(503, json={"code": "ledger_unavailable"}, headers={"Retry-After": "0"})


async def test_every_request_names_the_workspace_and_carries_the_key(
    client: ApiClient, api: ScriptedApi
) -> None:
    api.on("GET /tasks/task-1", {"id": "task-1"})
    await client.task("task-1")
    [request] = api.requests
    assert request.headers["LIGHTRAG-WORKSPACE"] == "team"
    assert request.headers["X-API-Key"] == "k3y"


async def test_an_upload_sends_the_file_under_its_name_and_the_chosen_doc_id(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", httpx.Response(202, json=RECEIPT))
    assert await client.insert(document, doc_id="report") == RECEIPT
    body = api.requests[0].content
    assert b'name="file"; filename="a.txt"' in body
    assert b'name="doc_id"\r\n\r\nreport' in body


async def test_without_a_chosen_doc_id_none_is_sent(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", httpx.Response(202, json=RECEIPT))
    await client.insert(document)
    assert b"doc_id" not in api.requests[0].content


async def test_a_retried_upload_sends_the_whole_file_again_under_the_same_idempotency_key(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", DOWN, DOWN, httpx.Response(202, json=RECEIPT))
    assert await client.insert(document) == RECEIPT
    assert len({request.headers["Idempotency-Key"] for request in api.requests}) == 1
    assert all(b"\r\ntext\r\n" in request.content for request in api.requests)


async def test_an_upload_gives_up_when_the_outage_goes_on(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", DOWN)
    with pytest.raises(ApiProblemError) as caught:
        await client.insert(document)
    assert caught.value.code == "ledger_unavailable"
    assert len(api.requests) == 4


async def test_a_refused_upload_is_not_tried_again(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", httpx.Response(400, json={"code": "empty_file", "detail": "It is."}))
    with pytest.raises(ApiProblemError, match="empty_file: It is"):
        await client.insert(document)
    assert len(api.requests) == 1


async def test_an_api_that_never_answered_is_reported_at_once(
    client: ApiClient, api: ScriptedApi, document: Path
) -> None:
    api.on("POST /insert", httpx.ConnectError("refused"))
    with pytest.raises(ServerNotReachableError, match=r"http://api\.test.*make up"):
        await client.insert(document)
    assert len(api.requests) == 1


async def test_an_api_that_answered_before_may_restart_during_an_upload(
    client: ApiClient, api: ScriptedApi, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_client, "_FIRST_PAUSE_S", 0)
    api.on("GET /", {"name": "lightrag-fleet"})
    api.on("POST /insert", httpx.ConnectError("refused"), httpx.Response(202, json=RECEIPT))
    await client.describe()
    assert await client.insert(document) == RECEIPT


async def test_lists_follow_the_cursor_until_the_limit(client: ApiClient, api: ScriptedApi) -> None:
    api.on(
        "GET /tasks",
        {"tasks": [{"id": "1"}, {"id": "2"}], "cursor": "next"},
        {"tasks": [{"id": "3"}], "cursor": "more"},
    )
    found = await client.tasks(limit=3, state="failed")
    assert [task["id"] for task in found] == ["1", "2", "3"]
    first, second = (request.url.params for request in api.requests)
    assert dict(first) == {"state": "failed", "limit": "3"}
    assert dict(second) == {"state": "failed", "limit": "1", "cursor": "next"}


async def test_lists_end_where_the_cursor_ends(client: ApiClient, api: ScriptedApi) -> None:
    api.on("GET /documents", {"documents": [{"doc_id": "a"}], "cursor": None})
    assert await client.documents(limit=50) == [{"doc_id": "a"}]


async def test_an_odd_doc_id_stays_one_path_segment(client: ApiClient, api: ScriptedApi) -> None:
    api.on("DELETE /documents/a%40b%2Bc%3A%E4%B8%89", {"task_id": "task-1"})
    assert await client.delete_document("a@b+c:三") == {"task_id": "task-1"}


async def test_a_stream_yields_references_and_then_the_answer_in_pieces(
    client: ApiClient, api: ScriptedApi
) -> None:
    references = '{"references": [{"reference_id": "1", "file_path": "a.txt"}]}'
    lines = f'{references}\n{{"response": "Ye"}}\n\n{{"response": "s"}}\n'
    api.on("POST /query/stream", httpx.Response(200, text=lines))
    pieces = [piece async for piece in client.stream_query("Why?", mode="naive")]
    assert [piece.get("response") for piece in pieces] == [None, "Ye", "s"]
    assert api.bodies() == [{"query": "Why?", "mode": "naive"}]


async def test_a_refused_stream_is_a_problem_like_any_other(
    client: ApiClient, api: ScriptedApi
) -> None:
    api.on("POST /query/stream", httpx.Response(404, json={"code": "workspace_not_found"}))
    with pytest.raises(ApiProblemError, match="workspace_not_found"):
        _ = [piece async for piece in client.stream_query("Why?", mode="naive")]


async def test_invalid_fields_are_part_of_the_sentence(client: ApiClient, api: ScriptedApi) -> None:
    document = {
        "code": "invalid_request",
        "detail": "Some fields are not valid.",
        "errors": [{"field": "body.query", "message": "too short"}],
    }
    api.on("POST /query", httpx.Response(422, json=document))
    with pytest.raises(ApiProblemError, match=r"not valid\. \(body\.query: too short\)"):
        await client.query("", mode="mix")


async def test_a_proxy_that_answers_html_still_gives_a_readable_problem(
    client: ApiClient, api: ScriptedApi
) -> None:
    api.on("GET /tasks/task-1", httpx.Response(502, text="<html>nginx</html>"))
    with pytest.raises(ApiProblemError, match="http_502: The server answered 502 Bad Gateway"):
        await client.task("task-1")
