"""Looks at a workspace of this installation, whatever its stores are."""

from pathlib import Path

from ops.migrate.census.files import census_of_files, listed_in_file
from ops.migrate.census.record import Census, Names
from ops.migrate.census.servers import census_of_servers, listed_on_servers
from shared.connections import ledger_url
from shared.ids import PhysicalWorkspace, WorkspaceName
from shared.settings import Settings


async def look_at(settings: Settings, name: WorkspaceName, wanted: Names | None = None) -> Census:
    """Count what a workspace holds, and find what of `wanted` is there; nothing is written.

    Raises:
        UnavailableError: a server is away.
        SourceUnreadableError: a file is damaged.
    """
    if file := _ledger_file(settings):
        folder = settings.storage.data_dir / "rag"
        return await census_of_files(file, folder, name, wanted or Names())
    return await census_of_servers(settings, name, wanted or Names())


async def listed_in(
    settings: Settings, name: WorkspaceName
) -> tuple[PhysicalWorkspace | None, int]:
    """Return the name of a workspace in its stores (None: there is none), and its documents.

    Raises:
        UnavailableError: the ledger is away.
    """
    if file := _ledger_file(settings):
        return listed_in_file(file, name)
    return await listed_on_servers(settings, name)


def _ledger_file(settings: Settings) -> Path | None:
    url = ledger_url(settings)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
