"""A workspace in use as a source, with what a person is told meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ops.client.session import output
from ops.migrate.history.installed import InstalledSource
from ops.migrate.live.taking import taken
from ops.migrate.showing import Bars
from shared.ids import WorkspaceName
from shared.objects.factory import open_objects
from shared.settings import Settings


@asynccontextmanager
async def seen(settings: Settings, name: WorkspaceName) -> AsyncIterator[InstalledSource]:
    """Give a workspace as it is at one moment; see `taken`."""
    folder = settings.storage.data_dir / "migrations"
    with Bars(output, {}, "read") as bars:
        snapshot, paused_s = await taken(settings, name, folder, bars)
    try:
        output.print(
            f"Ingestion paused for {paused_s:.1f} s; {snapshot.changes:,} items were read once "
            "more, because they were committed meanwhile, or in the minute before.",
            highlight=False,
        )
        yield InstalledSource(snapshot, snapshot.entries, open_objects(settings))
    finally:
        snapshot.close()
