"""A workspace in use as a source, with what a person is told meanwhile."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from ops.client.session import output
from ops.migrate.history.installed import InstalledSource
from ops.migrate.installation import opened
from ops.migrate.live.taking import taken
from ops.migrate.sections import Key
from ops.migrate.showing import Bars
from ops.migrate.stores_source import StoresSource
from shared.ids import WorkspaceName
from shared.objects.factory import open_objects
from shared.rag.models import require_same_embedding
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings


@asynccontextmanager
async def looked_at(settings: Settings, name: WorkspaceName) -> AsyncIterator[InstalledSource]:
    """Give a workspace as it is while it changes, which is good for counting.

    Raises:
        WorkspaceNotFoundError: it is missing, or being deleted.
        UnavailableError: a server is away.
    """
    async with opened(settings) as (ledger, rags):
        workspace = await ledger.workspaces.get(name)
        require_same_embedding(workspace, settings)
        with translated_store_errors():
            async with rags.use(workspace.physical) as rag:
                entries = partial(ledger.history.entries, name, workspace.physical)
                contents = StoresSource(rag, missed=_nothing)
                yield InstalledSource(contents, entries, open_objects(settings))


@asynccontextmanager
async def seen(settings: Settings, name: WorkspaceName) -> AsyncIterator[InstalledSource]:
    """Give a workspace as it is at one moment; see `taken`."""
    folder = settings.storage.data_dir / "migrations"
    with Bars(output, {}, "read") as bars:
        snapshot, paused_s = await taken(settings, name, folder, bars)
    try:
        output.print(
            f"Ingestion paused for {paused_s:.1f} s; {snapshot.changes:,} items were read once "
            "more, because they changed meanwhile.",
            highlight=False,
        )
        yield InstalledSource(snapshot, snapshot.entries, open_objects(settings))
    finally:
        snapshot.close()


def _nothing(_section: str, _keys: Sequence[Key]) -> None:
    """What went while it was counted was not there at the end."""
