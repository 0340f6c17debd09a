"""Opens an installation: its ledger, and LightRAG over its stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from ops.files_mode import only_process
from ops.migrate.errors import LedgerRevisionError, TargetNotEmptyError
from shared.connections import ledger_url
from shared.errors import WorkspaceNotFoundError
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


async def require_unlisted(settings: Settings, name: WorkspaceName) -> None:
    """Look whether a workspace lists documents, before much is read to be copied into it.

    Raises:
        TargetNotEmptyError: it does, and no copy of this workspace is half done.
        UnavailableError: a server is away.
    """
    if not settings.external and not settings.storage.data_dir.exists():
        return  # to open it would make it, and a damaged source must be told before that
    async with opened(settings) as (ledger, _):
        with suppress(WorkspaceNotFoundError):
            physical = (await ledger.workspaces.get(name)).physical
            begun = settings.storage.data_dir / "migrations" / f"{physical}.json"
            listed = await ledger.documents.page(name, cursor=None, limit=1)
            if listed.rows and not begun.exists():
                raise filled(name)


def filled(name: WorkspaceName) -> TargetNotEmptyError:
    """Say that a workspace holds something, and the ways out."""
    return TargetNotEmptyError(
        f"The workspace {name} holds documents already; name another one, or say --replace, which "
        "deletes them first."
    )


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
