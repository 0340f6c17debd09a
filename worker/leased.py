"""Working under a lease: renewed while the work runs, and the work stops when it is gone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from shared.errors import DeadlineExceededError, LedgerUnavailableError
from shared.ledger.records import LeaseStatus

Result = TypeVar("Result")


class LeaseLostError(BaseException):
    """Somebody else has the work now; a BaseException, so that no broad `except` swallows it."""


class CancelRequestedError(BaseException):
    """A person asked for this task to stop."""


_ENDINGS: dict[LeaseStatus, type[BaseException]] = {
    LeaseStatus.LOST: LeaseLostError,
    LeaseStatus.CANCEL_REQUESTED: CancelRequestedError,
}


async def run_leased(
    body: Coroutine[Any, Any, Result],
    *,
    renew: Callable[[], Awaitable[LeaseStatus]],
    lease_ms: int,
    timeout_s: float,
) -> Result:
    """Run `body` while `renew` keeps saying that the lease is held.

    Args:
        body: the work; cancelled when the lease ends.
        renew: extends the lease by `lease_ms` and tells how it stands.
        lease_ms: the lease's length; it is renewed every third of it, at least every 2 seconds,
            so that a cancellation is noticed soon.
        timeout_s: the deadline of the work.

    Raises:
        LeaseLostError: another holder or a newer revision took over.
        CancelRequestedError: the task is to be cancelled.
        DeadlineExceededError: the work took too long.
    """
    work = asyncio.ensure_future(body)
    watch = asyncio.ensure_future(_watch(renew, lease_ms=lease_ms))
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise DeadlineExceededError from None
    finally:
        ended_first = work.done()
        for task in (work, watch):
            if not task.done():
                task.cancel()
        await asyncio.wait({work, watch})
        if not work.cancelled():
            work.exception()  # looked at, or asyncio would log what failed while it was stopped
    if ended_first:
        return work.result()
    raise _ENDINGS[watch.result()]


async def _watch(renew: Callable[[], Awaitable[LeaseStatus]], *, lease_ms: int) -> LeaseStatus:
    """Renew until the lease is no longer plainly held, and tell why.

    A ledger that is away for less than the lease's length costs nothing; one that keeps us
    waiting for an answer until the lease is over has not renewed it.
    """
    loop = asyncio.get_running_loop()
    pause_s = min(lease_ms / 3000, 2.0)
    held_until_s = loop.time() + lease_ms / 1000
    while True:
        await asyncio.sleep(pause_s)
        asked_at_s = loop.time()
        try:
            async with asyncio.timeout_at(held_until_s):
                status = await renew()
        except TimeoutError:
            return LeaseStatus.LOST
        except LedgerUnavailableError:
            if asked_at_s >= held_until_s:
                return LeaseStatus.LOST
            continue
        if status is not LeaseStatus.HELD:
            return status
        held_until_s = asked_at_s + lease_ms / 1000
