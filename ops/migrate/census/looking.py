"""Looks at a workspace of this installation, whatever its stores are."""

from pathlib import Path

from ops.migrate.census.files import census_of_files
from ops.migrate.census.record import Census, Names
from ops.migrate.census.servers import census_of_servers
from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.settings import Settings


async def look_at(settings: Settings, name: WorkspaceName, wanted: Names | None = None) -> Census:
    """Count what a workspace holds, and find what of `wanted` is there; nothing is written.

    Raises:
        UnavailableError: a server is away.
        SourceUnreadableError: a file is damaged.
    """
    url = ledger_url(settings)
    if url.get_backend_name() == "sqlite":
        folder = settings.storage.data_dir / "rag"
        return await census_of_files(Path(str(url.database)), folder, name, wanted or Names())
    return await census_of_servers(settings, name, wanted or Names())
