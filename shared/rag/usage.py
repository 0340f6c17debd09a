"""What model calls took, counted in memory and written to the ledger in small batches."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from shared.errors import UnavailableError
from shared.ledger.accounts import Usage, UsageKey
from shared.ledger.ledger import Ledger
from shared.rag.calls import CallContext
from shared.tracing.spans import annotate

# What a killed process has not written yet is lost: so much at most, of the totals.
_FLUSH_INTERVAL_S = 5.0
Counts = dict[UsageKey, Usage]


class UsageMeter:
    """Counts the calls of one process, on the account that their context names."""

    def __init__(self) -> None:
        self._of_tasks: Counts = {}
        self._totals: Counts = {}

    def count(
        self, call: CallContext, model: str, *, prompt_tokens: int, completion_tokens: int
    ) -> None:
        """Count one call that was answered."""
        used = Usage(1, prompt_tokens, completion_tokens)
        annotate(
            {
                "gen_ai.usage.input_tokens": prompt_tokens,
                "gen_ai.usage.output_tokens": completion_tokens,
            }
        )
        day = datetime.now(UTC).date().isoformat()
        total = UsageKey(call.workspace, "", model, call.purpose.value, day)
        self._totals[total] = self._totals.get(total, Usage()) + used
        if call.task_id:
            key = UsageKey(call.workspace, call.task_id, model, call.purpose.value, day)
            self._of_tasks[key] = self._of_tasks.get(key, Usage()) + used

    async def flush_task(self, task_id: str, ledger: Ledger) -> None:
        """Write down what one task has used; when the ledger is away, it stays for later."""
        await self._write(
            {key: used for key, used in self._of_tasks.items() if key.task_id == task_id}, ledger
        )

    async def flush(self, ledger: Ledger) -> None:
        """Write everything down; when the ledger is away, it stays for later."""
        await self._write(self._totals | self._of_tasks, ledger)

    async def _write(self, counts: Counts, ledger: Ledger) -> None:
        if not counts:
            return
        self._take(counts)
        try:
            await asyncio.shield(ledger.usage.add(counts))
        except UnavailableError:
            self._put_back(counts)

    def _take(self, keys: Iterable[UsageKey]) -> None:
        for key in keys:
            (self._of_tasks if key.task_id else self._totals).pop(key)

    def _put_back(self, counts: Counts) -> None:
        for key, used in counts.items():
            where = self._of_tasks if key.task_id else self._totals
            where[key] = where.get(key, Usage()) + used


@asynccontextmanager
async def flushed_regularly(meter: UsageMeter, ledger: Ledger) -> AsyncIterator[None]:
    """Write down what is counted every few seconds, and once more at the end."""

    async def keep_flushing() -> None:
        while True:
            await asyncio.sleep(_FLUSH_INTERVAL_S)
            await meter.flush(ledger)

    flushing = asyncio.create_task(keep_flushing())
    try:
        yield
    finally:
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await meter.flush(ledger)
