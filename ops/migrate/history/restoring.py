"""Brings uploads, documents and tasks into an installation."""

from ops.migrate.errors import ArchiveDamagedError
from ops.migrate.history.items import Upload, counted
from ops.migrate.installation import Installation
from ops.migrate.progress import Progress
from ops.migrate.source import Source
from shared.ledger.history import key_here
from worker.leased import LeaseLostError


async def restore(installation: Installation, source: Source, progress: Progress) -> None:
    """Store the uploads, and list the documents and tasks; repeating it changes nothing.

    Raises:
        ArchiveDamagedError: an upload is not what it should be.
        LeaseLostError: somebody else writes into the workspace now.
        UnavailableError: the ledger or the store of uploads is away.
    """
    lease = installation.lease
    async for item in source.history():
        if isinstance(item, Upload):
            key = key_here(lease.physical, item.key)
            stored = await installation.objects.put(key, item.pieces)
            if stored.sha256 != item.sha256:
                await installation.objects.delete([key])
                raise ArchiveDamagedError(f"The upload {item.key} is not what was uploaded.")
        elif not await installation.ledger.history.restore(lease, item):
            raise LeaseLostError
        progress.advance_by(*counted(item))
