"""Keeps a commit lease while its holder works, from a thread that a busy loop cannot hold up."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL

from shared.errors import LedgerUnavailableError
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease

# What remains of a lease when its holder stops: time to end the statements that are under way.
_MARGIN = 0.1


class Heartbeat:
    """Renews one lease until it is stopped, lost, or its holder makes no progress."""

    def __init__(self, url: URL, lease: CommitLease, *, ttl_ms: int, stall_s: float) -> None:
        """Prepare it.

        Args:
            url: of the ledger; the thread has a connection of its own.
            lease: to be kept.
            ttl_ms: how long one renewal lasts.
            stall_s: after so long without `progressed` the lease is let go.
        """
        self._url = url
        self._lease = lease
        self._ttl_ms = ttl_ms
        self._stall_s = stall_s
        self._stopping = threading.Event()
        # The clock goes on while the machine sleeps.
        self._progressed_at_s = _boot_clock_s()
        self._ends_at_s = self._progressed_at_s + ttl_ms / 1000 * (1 - _MARGIN)
        self.lost = False

    def progressed(self) -> None:
        """Say that the holder got on with its work."""
        self._progressed_at_s = _boot_clock_s()

    def stop(self) -> None:
        """Renew no more."""
        self._stopping.set()

    def run(self) -> None:
        """Renew until it is over; called in a thread of its own."""
        try:
            asyncio.run(self._run())
        except BaseException:
            # Nobody renews any more: better the holder stops now than when it is fenced off.
            self.lost = True
            raise

    async def _run(self) -> None:
        ledger = await Ledger.open(self._url, pool_size=1)
        try:
            await self._renew_for_ever(ledger)
        finally:
            await ledger.close()

    async def _renew_for_ever(self, ledger: Ledger) -> None:
        ttl_s = self._ttl_ms / 1000
        while not await asyncio.to_thread(self._stopping.wait, min(ttl_s / 3, 2.0)):
            # Read before the renewal is sent: the database counts from a later moment.
            asked_at_s = _boot_clock_s()
            if asked_at_s >= self._ends_at_s or asked_at_s - self._progressed_at_s > self._stall_s:
                self.lost = True
                return
            try:
                async with asyncio.timeout(self._ends_at_s - asked_at_s):
                    kept = await ledger.workspaces.renew_commit_lease(
                        self._lease, ttl_ms=self._ttl_ms
                    )
            except (LedgerUnavailableError, TimeoutError):
                continue
            if not kept:
                self.lost = True
                return
            self._ends_at_s = asked_at_s + ttl_s * (1 - _MARGIN)


@asynccontextmanager
async def kept_alive(heartbeat: Heartbeat) -> AsyncIterator[None]:
    """Run a heartbeat for the time of the block; the block is cancelled when the lease is lost."""
    loop = asyncio.get_running_loop()
    holder = asyncio.current_task()
    assert holder is not None  # noqa: S101 - coroutines run in tasks

    def beat() -> None:
        try:
            heartbeat.run()
        finally:
            if heartbeat.lost:
                loop.call_soon_threadsafe(holder.cancel)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        heartbeat.stop()
        await asyncio.shield(asyncio.to_thread(thread.join))


def _boot_clock_s() -> float:
    """Read the clock that counts from the machine's start, its sleep included, in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
