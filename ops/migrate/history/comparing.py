"""Reads uploads, documents and tasks back."""

import asyncio

from ops.migrate.comparing import Comparison
from ops.migrate.fingerprint import sha256_of
from ops.migrate.history.items import HISTORY, UPLOADS, Upload, counted
from ops.migrate.installation import Installation
from ops.migrate.progress import Progress
from ops.migrate.source import Source
from shared.errors import ObjectNotFoundError
from shared.ids import ObjectKey
from shared.ledger.history import key_here


async def compare_history(
    installation: Installation, source: Source, comparison: Comparison, progress: Progress
) -> None:
    """Look for everything that `restore` brings; what went its own way since is no difference.

    Raises:
        SourceUnreadableError: the source is damaged.
        UnavailableError: the ledger or the store of uploads is away.
    """
    lease, ledger = installation.lease, installation.ledger
    async for item in source.history():
        if isinstance(item, Upload):
            key = key_here(lease.physical, item.key)
            # What no task needs any more, the cleaner removes.
            is_needed = bool(await ledger.tasks.referenced_objects([key]))
            is_there = not is_needed or await _sha256(installation, key) == item.sha256
            comparison.count(UPLOADS, equal=int(is_there), different=[] if is_there else [item.key])
        else:
            missing = await ledger.history.missing(lease.workspace, lease.physical, item)
            comparison.count(HISTORY, equal=len(item) - len(missing), different=missing)
        progress.advance_by(*counted(item))


async def _sha256(installation: Installation, key: ObjectKey) -> str:
    try:
        async with installation.objects.as_file(key) as path:
            return await asyncio.to_thread(sha256_of, path)
    except ObjectNotFoundError:
        return ""
