"""Edits over PostgreSQL, Valkey and Neo4j: what LightRAG's own leave, also after a crash."""

from typing import Any

import pytest

from shared.graph_edits import EditOperation, GraphEdit
from shared.ids import PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.contents import read_contents
from tests.integration.engine.shapes import another_workspace
from tests.integration.worker.fleet import SMALL, Fleet
from worker.commit.apply.stores import Stores

EDITS = [
    GraphEdit(EditOperation.CREATE_ENTITY, ["Houston"], fields={"description": "A city."}),
    GraphEdit(
        EditOperation.CREATE_RELATION,
        ["NASA", "Houston"],
        fields={"description": "It is there.", "keywords": "place", "weight": 0.5},
    ),
    GraphEdit(EditOperation.EDIT_RELATION, ["Houston", "NASA"], fields={"weight": 3.0}),
    GraphEdit(EditOperation.EDIT_ENTITY, ["NASA"], into="Space Agency"),
    GraphEdit(EditOperation.MERGE_ENTITIES, ["Houston", "Florida"], into="America"),
    GraphEdit(EditOperation.DELETE_RELATION, ["America", "Apollo 11"]),
    GraphEdit(EditOperation.DELETE_ENTITY, ["Neil Armstrong"]),
]


async def edit_with_lightrag(fleet: Fleet) -> None:
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        await rag.acreate_entity("Houston", EDITS[0].fields)
        await rag.acreate_relation("NASA", "Houston", EDITS[1].fields)
        await rag.aedit_relation("Houston", "NASA", {"weight": 3.0})
        await rag.aedit_entity("NASA", {"entity_name": "Space Agency"})
        await rag.amerge_entities(["Houston", "Florida"], "America")
        await rag.adelete_by_relation("America", "Apollo 11")
        await rag.adelete_by_entity("Neil Armstrong")


async def contents(fleet: Fleet) -> dict[str, Any]:
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        found = vars(await read_contents(rag, ["doc"]))
    for part in ("nodes", "edges"):
        found[part] = {
            key: row | {name: set(row[name].split("<SEP>")) for name in ("source_id", "file_path")}
            for key, row in found[part].items()
        }
    return found


@pytest.mark.parametrize("shape", ["neo4j", "valkey"])
async def test_edits_leave_what_lightrags_own_leave_also_when_every_commit_breaks_once(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = await another_workspace(fleet)
    for one in (fleet, twin):
        await one.upload(text=SMALL)
        await one.deliver()
    await edit_with_lightrag(twin)

    apply, broken = Stores.apply, set()

    async def breaks_once(self: Stores, journal: Any, operations: Any) -> None:
        if journal.seq not in broken:
            broken.add(journal.seq)
            raise ConnectionResetError
        await apply(self, journal, operations)

    monkeypatch.setattr(Stores, "apply", breaks_once)
    tasks = [
        await fleet.context.ledger.edits.request(fleet.workspace, edit, request_id=None)
        for edit in EDITS
    ]
    for _ in tasks:
        await fleet.commit()
    await fleet.commit()

    assert len(broken) == len(EDITS)
    assert {await fleet.state(task) for task in tasks} == {TaskState.SUCCEEDED}
    found, expected = await contents(fleet), await contents(twin)
    for part, value in expected.items():
        assert found[part] == value, part
