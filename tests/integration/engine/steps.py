"""What tests of the commit do again and again in a workspace."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lightrag import LightRAG
from sqlalchemy import text

from shared.ids import DocumentId, PhysicalWorkspace
from shared.ledger.records import Task
from tests.integration.engine.contents import Contents, read_contents
from tests.integration.engine.disturbed import prepared
from tests.integration.engine.shapes import another_workspace
from tests.integration.worker.fleet import Fleet


@asynccontextmanager
async def opened(fleet: Fleet) -> AsyncIterator[LightRAG]:
    """Give the LightRAG with which the fleet works on its workspace."""
    async with fleet.context.rags.use(PhysicalWorkspace(fleet.workspace)) as rag:
        yield rag


async def summarise_often(fleet: Fleet) -> None:
    """Let two descriptions be enough for a summary."""
    async with opened(fleet) as rag:
        rag.force_llm_summary_on_merge = 2


async def committed(fleet: Fleet, texts: Mapping[str, str]) -> None:
    """Bring documents into the graph, in one group."""
    await prepared(fleet, texts)
    await fleet.commit()


async def held(fleet: Fleet, doc_ids: Iterable[str]) -> Contents:
    """Read all that a workspace of these documents holds."""
    async with opened(fleet) as rag:
        return await read_contents(rag, doc_ids)


async def twin(fleet: Fleet, texts: Mapping[str, str], *, often: bool = False) -> Contents:
    """Read what a fresh workspace holds of these documents after one group."""
    other = await another_workspace(fleet)
    if often:
        await summarise_often(other)
    await committed(other, texts)
    return await held(other, texts)


async def request_delete(fleet: Fleet, doc_id: str) -> Task:
    """Ask for the removal of a document, as the API does."""
    return await fleet.context.ledger.documents.request_delete(
        fleet.workspace, DocumentId(doc_id), request_id=None
    )


async def tasks_by_document(fleet: Fleet) -> dict[str | None, Task]:
    """Return the newest task of each document of the workspace."""
    page = await fleet.context.ledger.tasks.page(workspace=fleet.workspace, limit=100)
    newest = sorted(page.rows, key=lambda task: (task.created_at_ms, task.id))
    return {task.doc_id: task for task in newest}


async def spend_the_budget(fleet: Fleet) -> None:
    """Let everything look as if work on it had begun in 1970."""
    async with fleet.context.ledger.database.writing() as connection:
        await connection.execute(text("UPDATE tasks SET started_at_ms = 1"))
    await fleet.let_time_pass()


async def rows_of(fleet: Fleet, query: str) -> list[Any]:
    """Read the ledger's tables: `:ws` is the workspace."""
    async with fleet.context.ledger.database.reading() as connection:
        return list((await connection.execute(text(query), {"ws": fleet.workspace})).all())


async def quarantined(fleet: Fleet) -> int:
    """Count the operations that no store took."""
    return len(await rows_of(fleet, "SELECT 1 FROM quarantine WHERE physical = :ws"))


async def journals(fleet: Fleet) -> int:
    """Count the workspace's journals."""
    return len(await rows_of(fleet, "SELECT 1 FROM journals WHERE physical = :ws"))
