"""Reads entities and relations straight from the graph, to see what there is to edit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.errors import EntityNotFoundError, RelationNotFoundError
from api.graph.schemas import EntityView, RelationView
from api.resources import Resources
from shared.ledger.records import Workspace
from shared.rag.models import require_same_embedding
from shared.rag.store_errors import translated_store_errors

_MAX_RELATIONS = 1000
# LightRAG's own bound for a search.
_MAX_FOUND = 100


@asynccontextmanager
async def _graph(workspace: Workspace, resources: Resources) -> AsyncIterator[Any]:
    # The graph has no vectors, but is opened with the stores that have.
    require_same_embedding(workspace, resources.settings)
    with translated_store_errors():
        async with resources.rags.use(workspace.physical) as rag:
            yield rag.chunk_entity_relation_graph


async def read_entity(name: str, workspace: Workspace, resources: Resources) -> EntityView:
    """Show an entity.

    Raises:
        EntityNotFoundError: there is none of this name.
        EmbeddingMismatchError: the workspace was filled with another embedding model.
        StoreUnavailableError: the graph did not answer.
    """
    async with _graph(workspace, resources) as graph:
        node = await graph.get_node(name)
        if node is None:
            raise EntityNotFoundError
        pairs = await graph.get_node_edges(name) or []
    others = sorted({end for pair in pairs for end in pair} - {name})
    shown = {field: node.get(field) for field in _fields_of(EntityView) & node.keys()}
    return EntityView.model_validate(
        dict.fromkeys(_fields_of(EntityView))
        | shown
        | {"name": name, "relations": others[:_MAX_RELATIONS], "relation_count": len(others)}
    )


async def read_relation(
    source: str, target: str, workspace: Workspace, resources: Resources
) -> RelationView:
    """Show a relation, whichever end is named first.

    Raises:
        RelationNotFoundError: there is none between these entities.
        EmbeddingMismatchError: the workspace was filled with another embedding model.
        StoreUnavailableError: the graph did not answer.
    """
    async with _graph(workspace, resources) as graph:
        edge = await graph.get_edge(source, target)
    if edge is None:
        raise RelationNotFoundError
    shown = {field: edge.get(field) for field in _fields_of(RelationView)}
    return RelationView.model_validate(shown | {"source": source, "target": target})


async def find_labels(
    search: str | None, workspace: Workspace, resources: Resources, *, limit: int
) -> list[str]:
    """List names of entities: those that a text is like, or those with the most relations.

    Raises:
        EmbeddingMismatchError: the workspace was filled with another embedding model.
        StoreUnavailableError: the graph did not answer.
    """
    async with _graph(workspace, resources) as graph:
        if search:
            labels: list[str] = await graph.search_labels(search, min(limit, _MAX_FOUND))
        else:
            labels = await graph.get_popular_labels(limit)
    return labels


def _fields_of(view: type[EntityView | RelationView]) -> set[str]:
    return set(view.model_fields)
