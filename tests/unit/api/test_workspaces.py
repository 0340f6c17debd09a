"""Workspaces: creating, listing, deleting, and naming one in a request."""

import pytest

from shared.contract.payloads import CommitWorkspace
from shared.ids import WorkspaceName
from tests.unit.api.conftest import Api
from tests.unit.api.problems import require_problem


async def test_a_new_workspace_takes_documents_of_its_own(api: Api) -> None:
    created = await api.client.post("/workspaces", json={"name": "team_1"})
    assert (created.status_code, created.json()["documents"]) == (201, 0)
    assert (await api.insert(doc_id="d", lightrag_workspace="team_1")).status_code == 202
    listed = (await api.client.get("/workspaces")).json()["workspaces"]
    assert {one["name"]: one["documents"] for one in listed} == {"default": 0, "team_1": 1}
    require_problem(await api.client.get("/documents/d"), 404, "document_not_found")


async def test_a_workspace_exists_once(api: Api) -> None:
    response = await api.client.post("/workspaces", json={"name": "default"})
    require_problem(response, 409, "workspace_exists")


@pytest.mark.parametrize("name", ["", "Team", "a-b", "团队", "x" * 41, "a__g2", "../x", "a b"])
async def test_an_invalid_name_is_refused_everywhere(api: Api, name: str) -> None:
    made = await api.client.post("/workspaces", json={"name": name})
    require_problem(made, 400, "invalid_workspace")
    headers = [(b"LIGHTRAG-WORKSPACE", name.encode())]
    for path in ("/documents", "/tasks"):
        listed = await api.client.get(path, headers=headers)
        require_problem(listed, 400, "invalid_workspace")
    asked = await api.client.post("/query", json={"query": "what is it"}, headers=headers)
    require_problem(asked, 400, "invalid_workspace")
    inserted = await api.client.post("/insert", files={"file": b"x"}, headers=headers)
    require_problem(inserted, 400, "invalid_workspace")


async def test_an_unknown_workspace_is_not_found(api: Api) -> None:
    headers = {"LIGHTRAG-WORKSPACE": "nobody"}
    for path in ("/documents", "/tasks", "/documents/d"):
        response = await api.client.get(path, headers=headers)
        require_problem(response, 404, "workspace_not_found")
    asked = await api.client.post("/query", json={"query": "what is it"}, headers=headers)
    require_problem(asked, 404, "workspace_not_found")
    require_problem(await api.client.delete("/workspaces/nobody"), 404, "workspace_not_found")


async def test_deleting_a_workspace_is_a_task_and_closes_it_at_once(api: Api) -> None:
    await api.client.post("/workspaces", json={"name": "old"})
    response = await api.client.delete("/workspaces/old")
    assert response.status_code == 202
    task = (await api.client.get(response.headers["location"])).json()
    assert (task["kind"], task["doc_id"]) == ("drop_workspace", None)
    assert api.sender.sent == [CommitWorkspace(workspace=WorkspaceName("old"))]
    inserted = await api.insert(lightrag_workspace="old")
    require_problem(inserted, 404, "workspace_not_found")


async def test_a_paused_workspace_takes_uploads_and_says_that_it_is_paused(api: Api) -> None:
    for _ in range(2):
        response = await api.client.post("/workspaces/default/pause")
        assert response.status_code == 200
        assert (response.json()["paused"], response.json()["committing"]) == (True, False)
    [listed] = (await api.client.get("/workspaces")).json()["workspaces"]
    assert listed["paused"]
    assert (await api.insert(doc_id="d")).status_code == 202

    resumed = await api.client.post("/workspaces/default/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert api.sender.sent[-1] == CommitWorkspace(workspace=WorkspaceName("default"))


async def test_a_workspace_is_resumed_without_a_broker(api: Api) -> None:
    await api.client.post("/workspaces/default/pause")
    api.sender.available = False
    assert not (await api.client.post("/workspaces/default/resume")).json()["paused"]


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_only_a_workspace_that_is_there_is_paused(api: Api, what: str) -> None:
    response = await api.client.post(f"/workspaces/nobody/{what}")
    require_problem(response, 404, "workspace_not_found")
    response = await api.client.post(f"/workspaces/No-Name/{what}")
    require_problem(response, 400, "invalid_workspace")
