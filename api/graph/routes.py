"""The graph by hand: /graph/entities, /graph/relations, /graph/labels."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.dependencies import ResourcesDep, WorkspaceDep
from api.graph.orders import Orders
from api.graph.reading import find_labels, read_entity, read_relation
from api.graph.schemas import (
    EntityChange,
    EntityMerge,
    EntityName,
    EntityView,
    LabelsView,
    NewEntity,
    NewRelation,
    RelationChange,
    RelationView,
    SearchText,
)
from api.tasks.schemas import AcceptedTask
from shared.graph_edits import EditOperation, GraphEdit

router = APIRouter(prefix="/graph", tags=["graph"])

OrdersDep = Annotated[Orders, Depends()]
# A name may have slashes in it.
_ENTITY = "/entities/{name:path}"


@router.get("/labels")
async def list_labels(
    workspace: WorkspaceDep,
    resources: ResourcesDep,
    *,
    search: Annotated[SearchText | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 300,
) -> LabelsView:
    """List entities: those that `search` is like (at most 100), or those with most relations."""
    return LabelsView(labels=await find_labels(search, workspace, resources, limit=limit))


@router.post("/entities", status_code=HTTPStatus.ACCEPTED)
async def create_entity(body: NewEntity, orders: OrdersDep) -> AcceptedTask:
    """Add an entity."""
    return await orders.accept(
        GraphEdit(EditOperation.CREATE_ENTITY, [body.name], fields=body.fields("name"))
    )


@router.post("/entities/merge", status_code=HTTPStatus.ACCEPTED)
async def merge_entities(body: EntityMerge, orders: OrdersDep) -> AcceptedTask:
    """Make one entity of several, with the relations of all of them."""
    return await orders.accept(
        GraphEdit(EditOperation.MERGE_ENTITIES, body.sources, into=body.target)
    )


@router.get(_ENTITY)
async def get_entity(
    name: EntityName, workspace: WorkspaceDep, resources: ResourcesDep
) -> EntityView:
    """Show an entity and what it is related to."""
    return await read_entity(name, workspace, resources)


@router.patch(_ENTITY, status_code=HTTPStatus.ACCEPTED)
async def edit_entity(name: EntityName, body: EntityChange, orders: OrdersDep) -> AcceptedTask:
    """Change or rename an entity."""
    fields = body.fields("new_name")
    return await orders.accept(
        GraphEdit(EditOperation.EDIT_ENTITY, [name], into=body.new_name, fields=fields)
    )


@router.delete(_ENTITY, status_code=HTTPStatus.ACCEPTED)
async def delete_entity(name: EntityName, orders: OrdersDep) -> AcceptedTask:
    """Remove an entity and its relations."""
    return await orders.accept(GraphEdit(EditOperation.DELETE_ENTITY, [name]))


@router.post("/relations", status_code=HTTPStatus.ACCEPTED)
async def create_relation(body: NewRelation, orders: OrdersDep) -> AcceptedTask:
    """Relate two entities."""
    fields = body.fields("source", "target")
    return await orders.accept(
        GraphEdit(EditOperation.CREATE_RELATION, [body.source, body.target], fields=fields)
    )


@router.get("/relations")
async def get_relation(
    source: Annotated[EntityName, Query()],
    target: Annotated[EntityName, Query()],
    workspace: WorkspaceDep,
    resources: ResourcesDep,
) -> RelationView:
    """Show a relation."""
    return await read_relation(source, target, workspace, resources)


@router.patch("/relations", status_code=HTTPStatus.ACCEPTED)
async def edit_relation(body: RelationChange, orders: OrdersDep) -> AcceptedTask:
    """Change a relation."""
    fields = body.fields("source", "target")
    return await orders.accept(
        GraphEdit(EditOperation.EDIT_RELATION, [body.source, body.target], fields=fields)
    )


@router.delete("/relations", status_code=HTTPStatus.ACCEPTED)
async def delete_relation(
    source: Annotated[EntityName, Query()],
    target: Annotated[EntityName, Query()],
    orders: OrdersDep,
) -> AcceptedTask:
    """Remove a relation; its entities stay."""
    return await orders.accept(GraphEdit(EditOperation.DELETE_RELATION, [source, target]))
