"""Operations that LightRAG's own storages carry out, whatever store they are in."""

from typing import Any

from worker.commit.operations import Kind, Operation


async def carry_out(operation: Operation, storage: Any) -> None:  # noqa: ANN401 - one of LightRAG's
    """Put rows, entities or relations, or remove entities or relations.

    Raises:
        ValueError: vectors, and removals of rows, are each store's own.
    """
    rows = operation.rows
    match operation.kind:
        case Kind.PUT_ROWS | Kind.PUT_STATUS:
            await storage.upsert(dict(rows))
        case Kind.PUT_NODES:
            await storage.upsert_nodes_batch([(name, row) for name, row in rows])
        case Kind.PUT_EDGES:
            await storage.upsert_edges_batch([(one, two, row) for one, two, row in rows])
        case Kind.REMOVE_NODES:
            await storage.remove_nodes(rows)
        case Kind.REMOVE_EDGES:
            await storage.remove_edges([(one, two) for one, two in rows])
        case _:
            raise ValueError(operation.kind)
