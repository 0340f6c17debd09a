"""The right to write one workspace, held by a command instead of a committer."""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from shared.errors import WorkspaceBusyError
from shared.ids import WorkspaceName
from shared.ledger.hold_rows import Hold
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease, LeaseStatus
from worker.leased import run_leased

Result = TypeVar("Result")

_POLL_S = 0.2


def new_holder(what: str) -> str:
    """Name a process and what it does, once."""
    return f"{socket.gethostname()}:{what}:{secrets.token_hex(4)}"


@asynccontextmanager
async def nothing_committed(
    ledger: Ledger, name: WorkspaceName, *, holder: str, lease_ms: int
) -> AsyncIterator[Hold]:
    """Show that nothing is committed meanwhile, and let nobody copy what is written past journals.

    Raises:
        WorkspaceNotFoundError: there is no such workspace, or it is being deleted.
        WorkspaceBusyError: it is being copied.
    """
    hold = await ledger.holds.begin_writing(name, holder=holder, ttl_ms=lease_ms)
    try:
        yield hold
    finally:
        await asyncio.shield(ledger.holds.end(hold))


async def take_lease(
    ledger: Ledger, name: WorkspaceName, *, holder: str, lease_ms: int, patience_s: float
) -> CommitLease:
    """Take the lease, or wait for whoever has it: it may have been killed, or be about to end.

    Raises:
        WorkspaceNotFoundError: the workspace is being deleted.
        WorkspaceBusyError: it was not let go in time.
    """
    give_up_at_s = time.monotonic() + patience_s + _POLL_S
    while True:
        lease = await ledger.workspaces.take_commit_lease(name, holder=holder, ttl_ms=lease_ms)
        if lease is not None:
            return lease
        await ledger.workspaces.get(name)
        if time.monotonic() > give_up_at_s:
            raise WorkspaceBusyError
        await asyncio.sleep(_POLL_S)


async def under_lease(
    body: Coroutine[Any, Any, Result],
    ledger: Ledger,
    lease: CommitLease,
    hold: Hold | None = None,
    *,
    lease_ms: int,
    timeout_s: float,
) -> Result:
    """Run `body` while its lease, and a hold beside it, are renewed.

    Raises:
        LeaseLostError: one of them is somebody else's now; the body was cancelled.
        DeadlineExceededError: the body took too long.
    """

    async def renew() -> LeaseStatus:
        held = await ledger.workspaces.renew_commit_lease(lease, ttl_ms=lease_ms)
        held = held and (hold is None or await ledger.holds.renew(hold, ttl_ms=lease_ms))
        return LeaseStatus.HELD if held else LeaseStatus.LOST

    return await run_leased(body, renew=renew, lease_ms=lease_ms, timeout_s=timeout_s)
