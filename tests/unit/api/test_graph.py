"""Editing the graph is a task for the one writer; looking at it asks the store itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from shared.contract.payloads import CommitWorkspace
from shared.errors import StoreUnavailableError
from shared.graph_edits import EditOperation, GraphEdit
from shared.ids import DEFAULT_WORKSPACE, TaskId
from shared.ledger.records import TaskState
from tests.unit.api.conftest import Api, FakeRags
from tests.unit.api.problems import require_problem

ENTITY = {"name": " Apollo 11 ", "description": "A flight.", "entity_type": "event"}
RELATION = {"source": "NASA", "target": "Apollo 11", "description": "Launched it.", "weight": 2}
ORDERS: dict[str, tuple[str, str, dict[str, Any] | None, GraphEdit]] = {
    "add an entity": (
        "POST",
        "/graph/entities",
        ENTITY,
        GraphEdit(
            EditOperation.CREATE_ENTITY,
            ["Apollo 11"],
            fields={"description": "A flight.", "entity_type": "event"},
        ),
    ),
    "change an entity": (
        "PATCH",
        "/graph/entities/TCP%2FIP",
        {"source_id": ""},
        GraphEdit(EditOperation.EDIT_ENTITY, ["TCP/IP"], fields={"source_id": ""}),
    ),
    "rename an entity": (
        "PATCH",
        "/graph/entities/三国",
        {"new_name": "Three Kingdoms"},
        GraphEdit(EditOperation.EDIT_ENTITY, ["三国"], into="Three Kingdoms"),
    ),
    "remove an entity": (
        "DELETE",
        "/graph/entities/NASA",
        None,
        GraphEdit(EditOperation.DELETE_ENTITY, ["NASA"]),
    ),
    "merge entities": (
        "POST",
        "/graph/entities/merge",
        {"sources": ["Nasa", "N.A.S.A."], "target": "NASA"},
        GraphEdit(EditOperation.MERGE_ENTITIES, ["Nasa", "N.A.S.A."], into="NASA"),
    ),
    "add a relation": (
        "POST",
        "/graph/relations",
        RELATION,
        GraphEdit(
            EditOperation.CREATE_RELATION,
            ["NASA", "Apollo 11"],
            fields={"description": "Launched it.", "keywords": "", "weight": 2.0},
        ),
    ),
    "change a relation": (
        "PATCH",
        "/graph/relations",
        {"source": "NASA", "target": "Apollo 11", "keywords": "launch"},
        GraphEdit(
            EditOperation.EDIT_RELATION, ["NASA", "Apollo 11"], fields={"keywords": "launch"}
        ),
    ),
    "remove a relation": (
        "DELETE",
        "/graph/relations?source=NASA&target=Apollo%2011",
        None,
        GraphEdit(EditOperation.DELETE_RELATION, ["NASA", "Apollo 11"]),
    ),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_an_edit_is_a_task_for_the_one_writer(api: Api, name: str) -> None:
    method, path, body, edit = ORDERS[name]
    response = await api.client.request(method, path, json=body)
    assert response.status_code == 202, response.text
    assert response.json()["doc_id"] is None
    assert response.headers["location"] == response.json()["status_url"]
    task = await api.ledger.tasks.get(TaskId(response.json()["task_id"]))
    assert (task.state, task.edit) == (TaskState.READY, edit)
    assert api.sender.sent == [CommitWorkspace(workspace=DEFAULT_WORKSPACE)]


async def test_a_task_shows_what_it_edits(api: Api) -> None:
    accepted = (await api.client.post("/graph/relations", json=RELATION)).json()
    task = (await api.client.get(accepted["status_url"])).json()
    assert (task["kind"], task["state"], task["stage"]) == ("edit", "ready", "commit")
    assert task["edit"] == {"operation": "create_relation", "subject": "NASA ~ Apollo 11"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/graph/entities", {"name": "x"}),
        ("POST", "/graph/entities", {"name": " ", "description": "x"}),
        ("POST", "/graph/entities", {"name": "x" * 257, "description": "x"}),
        ("POST", "/graph/entities", {"name": "三" * 200, "description": "x"}),
        ("POST", "/graph/entities", {"name": "a<SEP>b", "description": "x"}),
        ("POST", "/graph/entities", {"name": "a\0b", "description": "x"}),
        ("POST", "/graph/entities", {"name": "x", "description": "a\0b"}),
        ("POST", "/graph/entities", {"name": "x", "description": "x" * 20_001}),
        ("POST", "/graph/entities", {"name": "x", "description": "x", "colour": "red"}),
        ("PATCH", "/graph/entities/x", {}),
        ("PATCH", "/graph/entities/x", {"description": " "}),
        ("PATCH", "/graph/entities/%00", {"description": "x"}),
        ("DELETE", f"/graph/entities/{'x' * 257}", None),
        ("POST", "/graph/entities/merge", {"sources": [], "target": "x"}),
        ("POST", "/graph/entities/merge", {"sources": ["x"] * 101, "target": "x"}),
        ("POST", "/graph/relations", RELATION | {"weight": -1}),
        ("POST", "/graph/relations", RELATION | {"weight": "heavy"}),
        ("PATCH", "/graph/relations", {"source": "a", "target": "b"}),
        ("DELETE", "/graph/relations?source=a", None),
        ("GET", "/graph/relations?source=a&target=%20", None),
        ("GET", "/graph/labels?limit=1001", None),
        ("GET", "/graph/labels?search=a%00b", None),
    ],
)
async def test_an_odd_edit_is_refused(
    api: Api, method: str, path: str, body: dict[str, Any] | None
) -> None:
    require_problem(await api.client.request(method, path, json=body), 422, "invalid_request")
    assert (await api.ledger.tasks.page(limit=1)).rows == []


async def test_an_edit_of_an_unknown_workspace_is_refused(api: Api) -> None:
    response = await api.client.post(
        "/graph/entities", json=ENTITY, headers={"LIGHTRAG-WORKSPACE": "nowhere"}
    )
    require_problem(response, 404, "workspace_not_found")


class Graph:
    """As LightRAG's graphs answer."""

    nodes: ClassVar[dict[str, Any]] = {
        "NASA": {"entity_id": "NASA", "description": "An agency.", "created_at": 1}
    }
    edges: ClassVar[dict[Any, Any]] = {("NASA", "Apollo 11"): {"weight": 2.0, "keywords": "launch"}}

    async def get_node(self, name: str) -> dict[str, Any] | None:
        return self.nodes.get(name)

    async def get_node_edges(self, name: str) -> list[tuple[str, str]] | None:
        return [pair for pair in self.edges if name in pair] or None

    async def get_edge(self, one: str, two: str) -> dict[str, Any] | None:
        return self.edges.get((one, two))

    async def get_popular_labels(self, limit: int) -> list[str]:
        return [*self.nodes, "Apollo 11"][:limit]

    async def search_labels(self, search: str, limit: int) -> list[str]:
        assert limit <= 100
        return [name for name in self.nodes if search in name]


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    """What every workspace holds."""
    graph = Graph()

    @asynccontextmanager
    async def use(*_arguments: object) -> AsyncIterator[object]:
        yield SimpleNamespace(chunk_entity_relation_graph=graph)

    monkeypatch.setattr(FakeRags, "use", use)
    return graph


@pytest.mark.usefixtures("graph")
async def test_an_entity_is_shown_with_what_it_is_related_to(api: Api) -> None:
    assert (await api.client.get("/graph/entities/NASA")).json() == {
        "name": "NASA",
        "entity_type": None,
        "description": "An agency.",
        "source_id": None,
        "file_path": None,
        "relations": ["Apollo 11"],
        "relation_count": 1,
    }
    unknown = await api.client.get("/graph/entities/Nobody")
    require_problem(unknown, 404, "entity_not_found")


@pytest.mark.usefixtures("graph")
async def test_a_relation_is_shown(api: Api) -> None:
    ends = {"source": "NASA", "target": "Apollo 11"}
    shown = (await api.client.get("/graph/relations", params=ends)).json()
    assert (shown["weight"], shown["keywords"], shown["source"]) == (2.0, "launch", "NASA")
    unknown = await api.client.get("/graph/relations", params=ends | {"target": "Earth"})
    require_problem(unknown, 404, "relation_not_found")


@pytest.mark.usefixtures("graph")
async def test_entities_are_found_by_name_or_by_their_many_relations(api: Api) -> None:
    async def labels(**query: Any) -> list[str]:
        found: list[str] = (await api.client.get("/graph/labels", params=query)).json()["labels"]
        return found

    assert await labels() == ["NASA", "Apollo 11"]
    assert await labels(limit=1) == ["NASA"]
    assert await labels(search="NA") == ["NASA"]
    assert await labels(search="Moon") == []


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    "path", ["entities/NASA", "relations?source=NASA&target=Apollo%2011", "labels"]
)
async def test_a_workspace_of_another_embedding_is_not_opened(api: Api, path: str) -> None:
    await api.ledger.workspaces.remember_embedding(DEFAULT_WORKSPACE, model="other", dim=8)
    require_problem(await api.client.get(f"/graph/{path}"), 409, "embedding_mismatch")


async def test_a_graph_that_is_away_is_an_outage(
    api: Api, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(graph), "get_node", away)
    response = await api.client.get("/graph/entities/NASA")
    require_problem(response, 503, StoreUnavailableError.code)
