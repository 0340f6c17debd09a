"""Editing a graph by hand: LightRAG's own functions, unmodified, on a unit of work."""

from collections.abc import Awaitable, Callable, Sequence

from lightrag.base import DeletionResult
from lightrag.utils import make_relation_chunk_key
from lightrag.utils_graph import adelete_by_entity, adelete_by_relation

from shared.errors import AppError
from shared.graph_edits import EditOperation, GraphEdit
from worker.commit.unit_of_work.unit import UnitOfWork

_NOT_FOUND = "not_found"
_MAX_REASON_CHARS = 300


class GraphEditRefusedError(AppError):
    """The graph does not allow this edit, so nothing was changed; look at it and edit it anew."""

    code = "graph_edit_refused"


class GraphEditFailedError(AppError):
    """LightRAG stopped in the middle of the edit, so nothing was changed; it is tried again."""

    code = "graph_edit_failed"
    retryable = True


async def edit_graph(unit: UnitOfWork, edit: GraphEdit) -> None:
    """Change entities or relations as LightRAG would.

    Raises:
        GraphEditRefusedError: LightRAG did not want to; its sentence says why.
        GraphEditFailedError: LightRAG failed and does not say of what.
        StoreUnavailableError: a store was away.
    """
    try:
        await _WAYS[edit.operation](unit, edit)
    except ValueError as refusal:
        # A driver's complaint about a value is none of LightRAG's refusals.
        unit.failures.raise_first()
        raise _refused(str(refusal)) from None
    unit.failures.raise_first()


async def _create_entity(unit: UnitOfWork, edit: GraphEdit) -> None:
    await unit.rag.acreate_entity(edit.names[0], edit.fields)


async def _edit_entity(unit: UnitOfWork, edit: GraphEdit) -> None:
    fields = dict(edit.fields)
    if edit.into is not None:
        fields["entity_name"] = edit.into
        await _prefetch(unit, [*edit.names, edit.into])
    # Merging is an edit of its own: hidden in a rename, LightRAG hides its failures too.
    await unit.rag.aedit_entity(edit.names[0], fields, allow_rename=True, allow_merge=False)


async def _delete_entity(unit: UnitOfWork, edit: GraphEdit) -> None:
    rag = unit.rag
    await _prefetch(unit, edit.names)
    # The method of the same name leaves the tracking rows, from which the entity would get its old
    # sources back, and which a later removal of its document would take for its own traces.
    _require_success(
        await adelete_by_entity(
            rag.chunk_entity_relation_graph,
            rag.entities_vdb,
            rag.relationships_vdb,
            edit.names[0],
            entity_chunks_storage=rag.entity_chunks,
            relation_chunks_storage=rag.relation_chunks,
        ),
        unit,
    )


async def _merge_entities(unit: UnitOfWork, edit: GraphEdit) -> None:
    assert edit.into is not None  # noqa: S101 - as the API makes them
    await _prefetch(unit, [*edit.names, edit.into])
    await unit.rag.amerge_entities(edit.names, edit.into)


async def _create_relation(unit: UnitOfWork, edit: GraphEdit) -> None:
    one, two = edit.names
    await unit.rag.acreate_relation(one, two, edit.fields)


async def _edit_relation(unit: UnitOfWork, edit: GraphEdit) -> None:
    one, two = edit.names
    await unit.rag.aedit_relation(one, two, edit.fields)


async def _delete_relation(unit: UnitOfWork, edit: GraphEdit) -> None:
    rag = unit.rag
    _require_success(
        await adelete_by_relation(  # as for entities
            rag.chunk_entity_relation_graph,
            rag.relationships_vdb,
            *edit.names,
            relation_chunks_storage=rag.relation_chunks,
        ),
        unit,
    )


async def _prefetch(unit: UnitOfWork, names: Sequence[str]) -> None:
    """Read in bulk what LightRAG looks at one by one: an entity may have thousands of relations."""
    there = list(await unit.graph.get_nodes_batch(list(names)))
    ends = await unit.graph.get_nodes_edges_batch(there)
    pairs = [pair for found in ends.values() for pair in found]
    await unit.graph.prefetch([], pairs)
    await unit.rows["entity_chunks"].prefetch(there)
    await unit.rows["relation_chunks"].prefetch(make_relation_chunk_key(*pair) for pair in pairs)


def _require_success(result: DeletionResult, unit: UnitOfWork) -> None:
    """LightRAG turns what went wrong in a deletion into a result."""
    unit.failures.raise_first()
    if result.status == _NOT_FOUND:
        raise _refused(result.message)
    if result.status != "success":
        raise GraphEditFailedError


def _refused(reason: str) -> GraphEditRefusedError:
    sentence = " ".join(reason.split())[:_MAX_REASON_CHARS].rstrip(".")
    return GraphEditRefusedError(f"{sentence}.")


_WAYS: dict[EditOperation, Callable[[UnitOfWork, GraphEdit], Awaitable[None]]] = {
    EditOperation.CREATE_ENTITY: _create_entity,
    EditOperation.EDIT_ENTITY: _edit_entity,
    EditOperation.DELETE_ENTITY: _delete_entity,
    EditOperation.MERGE_ENTITIES: _merge_entities,
    EditOperation.CREATE_RELATION: _create_relation,
    EditOperation.EDIT_RELATION: _edit_relation,
    EditOperation.DELETE_RELATION: _delete_relation,
}
