"""Opens an installation: its ledger, and LightRAG over its stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from ops.migrate.errors import LedgerRevisionError
from ops.only_process import only_process
from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.engine import Database
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.schema import schema_of
from shared.rag.models import Models, open_models
from shared.rag.pool import RagPool
from shared.settings import Settings

_PAGE = 100


@asynccontextmanager
async def opened(
    settings: Settings, models: Models | None = None, *, is_source: bool = False
) -> AsyncIterator[tuple[Ledger, RagPool]]:
    """Open the ledger and LightRAG over an installation's stores.

    Args:
        settings: of the installation.
        models: left out: those that settings name.
        is_source: whether the ledger is only read: its tables stay as they are, or an older
            program could not go on with them. Otherwise they are brought up to date.

    Raises:
        SettingsError: files are kept here, and another process has them.
        LedgerRevisionError: the tables of a source are of another version of this program.
        UnavailableError: a server is away.
    """
    async with AsyncExitStack() as stack:
        if not settings.external:
            stack.enter_context(only_process(settings.storage.data_dir))
        if not is_source or await _has_no_tables(settings):
            await asyncio.to_thread(migrate, ledger_url(settings))
        ledger = await Ledger.open(ledger_url(settings), pool_size=2)
        stack.push_async_callback(ledger.close)
        rags = RagPool(settings, models or open_models(settings))
        stack.push_async_callback(rags.close)
        yield ledger, rags


async def _has_no_tables(settings: Settings) -> bool:
    """Look at a source's ledger: a new one may be made, one of another version may not change."""
    database = Database(ledger_url(settings), pool_size=1)
    try:
        schema = await schema_of(database)
    finally:
        await database.close()
    if schema.found is not None and schema.complaint:
        raise LedgerRevisionError(schema.complaint)
    return schema.found is None


async def workspace_names(settings: Settings) -> list[WorkspaceName]:
    """List all active workspaces by name.

    Raises:
        SettingsError: files are kept here, and another process has them.
        LedgerUnavailableError: the ledger is away.
    """
    names: list[WorkspaceName] = []
    async with opened(settings, is_source=True) as (ledger, _):
        cursor: str | None = None
        while True:
            page = await ledger.workspaces.page(cursor, limit=_PAGE)
            names += [workspace.name for workspace in page.rows]
            cursor = page.cursor
            if cursor is None:
                return names
