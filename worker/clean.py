"""The cleaner: removes old tasks and uploads that nothing refers to."""

import time
from collections.abc import AsyncIterator

from shared.contract.payloads import Clean
from shared.ids import ObjectKey
from shared.logs import get_logger
from worker.context import WorkerContext

_log = get_logger(__name__)

_BATCH_ROWS = 200
# An upload is written before its row; one without a row after an hour never gets it.
_ORPHAN_AGE_S = 3600.0
_DAY_MS = 86_400_000


async def clean(message: Clean, context: WorkerContext) -> None:
    """Remove what is over, a bounded number of rows in each transaction."""
    del message
    retention_ms = int(context.settings.limits.task_retention_days * _DAY_MS)
    ended_before_ms = int(time.time() * 1000) - retention_ms
    while await context.ledger.tasks.remove_old(ended_before_ms=ended_before_ms, limit=_BATCH_ROWS):
        pass
    closed_for_ms = int(context.settings.limits.journal_retention_s * 1000)
    while await context.ledger.journals.remove_old(closed_for_ms=closed_for_ms, limit=_BATCH_ROWS):
        pass
    async for keys in _in_groups(context.objects.older_than(_ORPHAN_AGE_S), _BATCH_ROWS):
        wanted = await context.ledger.tasks.referenced_objects(keys)
        orphans = [key for key in keys if key not in wanted]
        if orphans:
            _log.info("orphan_uploads_removed", count=len(orphans))
            await context.objects.delete(orphans)


async def _in_groups(keys: AsyncIterator[ObjectKey], size: int) -> AsyncIterator[list[ObjectKey]]:
    group: list[ObjectKey] = []
    async for key in keys:
        group.append(key)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
