"""An edit on its way through journal and fence leaves what LightRAG's own edit leaves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lightrag import LightRAG

from shared.errors import ModelUnavailableError
from shared.graph_edits import EditOperation, GraphEdit
from shared.ids import DocumentId
from shared.ledger.records import Task, TaskState
from tests.integration.engine.contents import read_contents
from tests.integration.engine.shapes import another_workspace, files_variables, open_fleet
from tests.integration.worker.fleet import Fleet
from worker.commit.unit_of_work.graph import GraphUnit

DOCUMENTS = {
    "apollo": "Neil Armstrong commanded Apollo 11. NASA launched Apollo 11 from Florida. "
    "Buzz Aldrin followed Neil Armstrong. NASA trained Neil Armstrong in Houston.",
    "later": "NASA launched Apollo 12 from Florida. Pete Conrad commanded Apollo 12. "
    "Pete Conrad met Neil Armstrong in Houston.",
}
NEW = {"description": "A word of its own.", "entity_type": "person"}
CREATE, EDIT, DELETE, MERGE = (
    EditOperation.CREATE_ENTITY,
    EditOperation.EDIT_ENTITY,
    EditOperation.DELETE_ENTITY,
    EditOperation.MERGE_ENTITIES,
)
RELATE, CHANGE, SEPARATE = (
    EditOperation.CREATE_RELATION,
    EditOperation.EDIT_RELATION,
    EditOperation.DELETE_RELATION,
)
Stock = Callable[[LightRAG], Awaitable[Any]]
EDITS: dict[str, tuple[GraphEdit, Stock]] = {
    "an entity is added": (
        GraphEdit(CREATE, ["Michael Collins"], fields=NEW),
        lambda rag: rag.acreate_entity("Michael Collins", NEW),
    ),
    "an entity is changed": (
        GraphEdit(EDIT, ["NASA"], fields=NEW),
        lambda rag: rag.aedit_entity("NASA", NEW),
    ),
    "an entity loses its sources": (
        GraphEdit(EDIT, ["NASA"], fields={"source_id": ""}),
        lambda rag: rag.aedit_entity("NASA", {"source_id": ""}),
    ),
    "an entity is renamed": (
        GraphEdit(EDIT, ["Neil Armstrong"], into="Armstrong", fields=NEW),
        lambda rag: rag.aedit_entity("Neil Armstrong", {**NEW, "entity_name": "Armstrong"}),
    ),
    "an entity is removed": (
        GraphEdit(DELETE, ["Neil Armstrong"]),
        lambda rag: rag.adelete_by_entity("Neil Armstrong"),
    ),
    "entities become another one": (
        GraphEdit(MERGE, ["Apollo 12", "Florida"], into="Apollo 11"),
        lambda rag: rag.amerge_entities(["Apollo 12", "Florida"], "Apollo 11"),
    ),
    "entities become a new one": (
        GraphEdit(MERGE, ["Apollo 12", "Apollo 11"], into="Apollo"),
        lambda rag: rag.amerge_entities(["Apollo 12", "Apollo 11"], "Apollo"),
    ),
    "an entity takes others into itself": (
        GraphEdit(MERGE, ["NASA", "Houston"], into="NASA"),
        lambda rag: rag.amerge_entities(["NASA", "Houston"], "NASA"),
    ),
    "a relation is added": (
        GraphEdit(
            RELATE, ["Pete Conrad", "Buzz Aldrin"], fields={"description": "Both.", "weight": 0.5}
        ),
        lambda rag: rag.acreate_relation(
            "Pete Conrad", "Buzz Aldrin", {"description": "Both.", "weight": 0.5}
        ),
    ),
    "a relation is changed": (
        GraphEdit(CHANGE, ["NASA", "Apollo 11"], fields={"keywords": "launch", "weight": 7.0}),
        lambda rag: rag.aedit_relation("NASA", "Apollo 11", {"keywords": "launch", "weight": 7.0}),
    ),
    "a relation is removed": (
        GraphEdit(SEPARATE, ["NASA", "Apollo 11"]),
        lambda rag: rag.adelete_by_relation("NASA", "Apollo 11"),
    ),
}
REFUSED = {
    "is not there": GraphEdit(EDIT, ["Nobody"], fields=NEW),
    "is not there to be removed": GraphEdit(DELETE, ["Nobody"]),
    "is there already": GraphEdit(CREATE, ["NASA"], fields=NEW),
    "would take another's name": GraphEdit(EDIT, ["NASA"], into="Florida", fields=NEW),
    "merges what is not there": GraphEdit(MERGE, ["Florida", "Nobody"], into="NASA"),
    "relates what is not there": GraphEdit(RELATE, ["NASA", "Nobody"], fields=NEW),
    "relates what is related": GraphEdit(RELATE, ["NASA", "Apollo 11"], fields=NEW),
    "weighs less than its sources": GraphEdit(CHANGE, ["NASA", "Apollo 11"], fields={"weight": 0}),
    "removes a relation that is not there": GraphEdit(SEPARATE, ["Buzz Aldrin", "Pete Conrad"]),
}


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """File storages that hold all documents."""
    async with open_fleet(files_variables(tmp_path)) as opened:
        await fill(opened)
        yield opened


async def fill(fleet: Fleet) -> None:
    for doc_id, text in DOCUMENTS.items():
        await fleet.upload(doc_id, text)
        await fleet.deliver()


@asynccontextmanager
async def opened(fleet: Fleet) -> AsyncIterator[LightRAG]:
    workspace = await fleet.context.ledger.workspaces.get(fleet.workspace)
    async with fleet.context.rags.use(workspace.physical) as rag:
        yield rag


async def request(fleet: Fleet, edit: GraphEdit) -> Task:
    return await fleet.context.ledger.edits.request(fleet.workspace, edit, request_id=None)


async def edited(fleet: Fleet, edit: GraphEdit) -> Task:
    """Commit an edit, and return its task as it is then."""
    task = await request(fleet, edit)
    await fleet.commit()
    return await fleet.task(task)


async def everything(fleet: Fleet) -> dict[str, Any]:
    """All contents, and the ids of all vectors; sets where LightRAG joins what is in a set."""
    async with opened(fleet) as rag:
        contents = vars(await read_contents(rag, DOCUMENTS))
    for part in ("nodes", "edges"):
        contents[part] = {
            key: row | {name: set(row[name].split("<SEP>")) for name in ("source_id", "file_path")}
            for key, row in contents[part].items()
        }
    return contents | {"ids": (await fleet.stored())["vectors"]}


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_leaves_what_lightrags_own_leaves(fleet: Fleet, name: str) -> None:
    edit, stock = EDITS[name]
    twin = await another_workspace(fleet)
    await fill(twin)
    before = await everything(fleet)
    assert before == await everything(twin)

    task = await edited(fleet, edit)
    async with opened(twin) as rag:
        await stock(rag)

    assert (task.state, task.error_detail) == (TaskState.SUCCEEDED, None)
    found, expected = await everything(fleet), await everything(twin)
    for part, value in expected.items():
        assert found[part] == value, part
    assert found != before


@pytest.mark.parametrize("name", REFUSED)
async def test_what_lightrag_refuses_fails_with_its_reason_and_changes_nothing(
    fleet: Fleet, name: str
) -> None:
    before = await everything(fleet)
    task = await edited(fleet, REFUSED[name])
    assert (task.state, task.error_code) == (TaskState.FAILED, "graph_edit_refused")
    assert task.error_detail is not None
    assert task.error_detail.endswith(".")
    assert await everything(fleet) == before


async def test_an_edit_sees_the_documents_and_edits_that_came_before_it(fleet: Fleet) -> None:
    await fleet.upload("more", "Skylab orbited Earth. Pete Conrad repaired Skylab.")
    for message in fleet.lose_messages():
        await fleet.handle(message)  # prepared, and not committed yet
    fleet.lose_messages()
    ordered = [
        await request(fleet, GraphEdit(EDIT, ["Skylab"], into="The Station")),
        await request(fleet, GraphEdit(MERGE, ["The Station"], into="NASA")),
        await request(fleet, GraphEdit(EDIT, ["Skylab"], fields=NEW)),
    ]
    await fleet.commit()
    states = [await fleet.state(task) for task in ordered]
    assert states == [TaskState.SUCCEEDED, TaskState.SUCCEEDED, TaskState.FAILED]
    async with opened(fleet) as rag:
        assert await rag.chunk_entity_relation_graph.has_edge("NASA", "Pete Conrad")


async def test_a_document_goes_whole_after_what_it_told_of_was_removed_by_hand(
    fleet: Fleet,
) -> None:
    await edited(fleet, GraphEdit(DELETE, ["Neil Armstrong"]))
    await edited(fleet, GraphEdit(SEPARATE, ["NASA", "Apollo 11"]))
    tracked = (await fleet.stored())["rows"]
    assert not [
        key for rows in tracked.values() for key in rows if "Neil Armstrong" in key.split("<SEP>")
    ]
    for doc_id in DOCUMENTS:
        task = await fleet.context.ledger.documents.request_delete(
            fleet.workspace, DocumentId(doc_id), request_id=None
        )
        await fleet.commit()
        assert await fleet.state(task) is TaskState.SUCCEEDED
    left = await fleet.stored()
    assert (left["nodes"], left["edges"]) == ({}, {})
    assert not any(left["vectors"].values())
    assert not any(left["rows"].values())


async def test_an_edit_waits_for_the_model_and_is_done_when_it_is_back(fleet: Fleet) -> None:
    before = await everything(fleet)
    fleet.embeddings.refused_word = "A word of its own"
    fleet.embeddings.failure = ModelUnavailableError()
    task = await edited(fleet, GraphEdit(CREATE, ["Michael Collins"], fields=NEW))
    assert (task.state, task.error_code) == (TaskState.READY, "model_unavailable")
    assert await everything(fleet) == before
    fleet.embeddings.refused_word = None
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED


@pytest.mark.parametrize(
    "edit", [GraphEdit(DELETE, ["NASA"]), GraphEdit(EDIT, ["NASA"], into="Space Agency")]
)
async def test_an_edit_that_breaks_half_way_changes_nothing(
    fleet: Fleet, edit: GraphEdit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object) -> None:
        raise RuntimeError

    before = await everything(fleet)
    with monkeypatch.context() as patch:
        patch.setattr(GraphUnit, "delete_node", broken)
        task = await edited(fleet, edit)
    assert task.state is TaskState.READY
    assert task.error_code in {"graph_edit_failed", "internal_error"}
    assert await everything(fleet) == before
    await fleet.run_until_quiet()
    assert await fleet.state(task) is TaskState.SUCCEEDED
