"""What `ragfleet init` does: everything that the first process of a fleet would have to create."""

import asyncio
from collections.abc import AsyncIterator, Callable

from shared.connections import ledger_url
from shared.errors import EmbeddingMismatchError
from shared.ledger.ledger import Ledger
from shared.ledger.migrate import migrate
from shared.ledger.records import Workspace
from shared.objects.factory import open_objects
from shared.rag.engine import storage_names
from shared.rag.models import open_models, require_same_embedding
from shared.rag.pool import RagPool
from shared.settings import Settings
from shared.startup import require_servers

_PAGE = 100


async def initialise(settings: Settings, *, say: Callable[[str], None]) -> None:
    """Migrate the ledger, then create the stores of every active workspace that is ours to open.

    A bucket for uploads is tried, not made: who may make one is seldom who may use it.

    Args:
        settings: they name the servers.
        say: told what was done, a line each.

    Raises:
        SettingsError: there are no servers, only files.
        UnavailableError: a server is away.
        GraphDuplicatesError: a graph must be repaired first; earlier workspaces are done.
    """
    require_servers(settings)
    await asyncio.to_thread(migrate, ledger_url(settings))
    say("The ledger is up to date.")
    if settings.storage.object_store == "s3":
        await open_objects(settings).ping()
        say(f"Uploads can be kept in s3://{settings.s3.bucket}/{settings.s3.prefix}.")
    names = storage_names(settings)
    ledger = await Ledger.open(ledger_url(settings), pool_size=1)
    rags = RagPool(settings, open_models(settings))
    try:
        async for workspace in _active(ledger):
            try:
                require_same_embedding(workspace, settings)
            except EmbeddingMismatchError as error:  # no process will open it with these settings
                say(f"Workspace {workspace.name} is left as it is: {error.detail}")
                continue
            async with rags.use(workspace.physical):
                pass
            await rags.forget(workspace.physical)
            say(f"Workspace {workspace.name} is ready: {names.kv}, {names.vector}, {names.graph}.")
    finally:
        await rags.close()
        await ledger.close()


async def _active(ledger: Ledger) -> AsyncIterator[Workspace]:
    cursor: str | None = None
    while True:
        page = await ledger.workspaces.page(cursor, limit=_PAGE)
        for workspace in page.rows:
            yield workspace
        cursor = page.cursor
        if cursor is None:
            return
