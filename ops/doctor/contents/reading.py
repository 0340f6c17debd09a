"""Reads a workspace's inventory out of whatever stores it has, without opening a LightRAG.

Opening one creates what is missing; whoever only looks must not.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lightrag import LightRAG
from lightrag.base import StoragesStatus
from sqlalchemy import exists, select

from ops.doctor.contents.files import read_files
from ops.doctor.contents.inventory import Inventory
from ops.doctor.contents.neo4j import read_neo4j
from ops.doctor.contents.postgres import read_postgres
from ops.doctor.contents.redis import read_redis
from ops.doctor.ground import Ground
from ops.migrate.folder.source import FolderSource
from shared.connections import ledger_url
from shared.ids import PhysicalWorkspace
from shared.ledger.records import FINAL_STATES, Workspace
from shared.ledger.tables import documents, tasks
from shared.rag.engine import build_rag
from shared.rag.environment import publish_environment
from shared.rag.models import open_models
from worker.commit.unit_of_work.unit import (
    GRAPH_STORAGE,
    ROW_STORAGES,
    STATUS_STORAGE,
    VECTOR_STORAGES,
)

_PAGE = 1000
# Replies of models belong to nobody.
_ROWS = tuple(name for name in ROW_STORAGES if name != "llm_response_cache")


@dataclass(frozen=True)
class Contents:
    """The stores of one workspace."""

    ground: Ground
    workspace: Workspace
    rag: LightRAG | None
    """Tells names of tables and keys, and is not opened; None in files mode."""

    async def read(self, inventory: Inventory) -> None:
        """Read everything, the ledger last.

        Raises:
            SourceUnreadableError: a file is damaged.
        """
        if self.rag is None:
            await read_files(folder_of(self.ground, self.workspace.physical), inventory)
        else:
            await self._read_servers(self.rag, inventory)
        await self._read_ledger(inventory)
        inventory.finish()

    async def _read_servers(self, rag: LightRAG, inventory: Inventory) -> None:
        ground = self.ground
        in_postgres = [*VECTOR_STORAGES, STATUS_STORAGE]
        if ground.redis is None:
            in_postgres += _ROWS
        else:
            await read_redis(ground.redis, rag, _ROWS, inventory)
        if ground.neo4j is None:
            in_postgres.append(GRAPH_STORAGE)
        else:
            database = ground.settings.neo4j.database
            await read_neo4j(ground.neo4j, database, self.workspace.physical, inventory)
        await read_postgres(ledger_url(ground.settings), rag, in_postgres, inventory)

    async def _read_ledger(self, inventory: Inventory) -> None:
        busy = exists().where(
            tasks.c.workspace == documents.c.workspace,
            tasks.c.doc_id == documents.c.doc_id,
            tasks.c.state.not_in([*FINAL_STATES]),
        )
        last = ""
        while True:
            statement = (
                select(documents.c.doc_id, documents.c.committed_revision > 0, busy)
                .where(documents.c.workspace == self.workspace.name, documents.c.doc_id > last)
                .order_by(documents.c.doc_id)
                .limit(_PAGE)
            )
            async with self.ground.ledger.reading() as connection:
                rows = (await connection.execute(statement)).all()
            if not rows:
                return
            inventory.add_documents((doc_id, bool(done), bool(at)) for doc_id, done, at in rows)
            last = rows[-1].doc_id


@asynccontextmanager
async def contents_of(ground: Ground, workspace: Workspace) -> AsyncIterator[Contents]:
    """Give the stores of one workspace to read from."""
    if not ground.has_servers:
        yield Contents(ground, workspace, None)
        return
    publish_environment(ground.settings)
    models = open_models(ground.settings)
    rag = build_rag(ground.settings, models, workspace=workspace.physical)
    try:
        yield Contents(ground, workspace, rag)
    finally:
        # Left alone it lets go only of storages that were opened, and keeps its share of the
        # connections that it took when it was built.
        rag._storages_status = StoragesStatus.INITIALIZED  # noqa: SLF001 - pinned internals
        await rag.finalize_storages()
        await models.close()


def folder_of(ground: Ground, physical: PhysicalWorkspace) -> FolderSource:
    """Return the files of one workspace, where there may be none yet."""
    folder = Path(ground.settings.storage.data_dir) / "rag" / physical
    return FolderSource(folder, as_written=True)
