"""Ids of everything in the files of one workspace."""

import asyncio

from ops.doctor.contents.inventory import Inventory
from ops.migrate.folder.source import FolderSource
from worker.commit.operations import Kind, Operation


async def read_files(source: FolderSource, inventory: Inventory) -> None:
    """Read a folder from the beginning to the end.

    Raises:
        SourceUnreadableError: a file is damaged; the sentence names it.
    """
    async for operation in source.operations():
        await asyncio.to_thread(_add, operation, inventory)


def _add(operation: Operation, inventory: Inventory) -> None:
    rows = operation.rows
    match operation.kind:
        case Kind.PUT_NODES:
            inventory.add_entities((name, row.get("source_id")) for name, row in rows)
        case Kind.PUT_EDGES:
            inventory.add_relations((one, two, row.get("source_id")) for one, two, row in rows)
        case Kind.PUT_VECTORS:
            inventory.add_vectors(operation.storage, (key for key, _ in rows))
        case Kind.PUT_STATUS:
            inventory.add_statuses((key, str(row.get("status"))) for key, row in rows)
            for key, row in rows:
                inventory.add_listed((key, chunk) for chunk in row.get("chunks_list") or [])
        case _ if operation.storage == "text_chunks":
            inventory.add_chunks((key, row.get("full_doc_id")) for key, row in rows)
        case _:
            inventory.add_rows(operation.storage, (key for key, _ in rows))
