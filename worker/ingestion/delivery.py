"""Asking for the next step; the ledger knows about it already, so a lost message only delays it."""

from collections.abc import Sequence
from contextlib import suppress

from shared.contract.payloads import CommitWorkspace, Payload
from shared.errors import QueueUnavailableError, UnavailableError
from shared.ids import WorkspaceName
from shared.logs import get_logger
from worker.context import WorkerContext

_log = get_logger(__name__)


async def send_or_leave_to_sweeper(messages: Sequence[Payload], context: WorkerContext) -> bool:
    """Send messages; False when the broker is down and the sweeper will send them later."""
    try:
        for message in messages:
            await context.sender.send(message)
    except QueueUnavailableError:
        _log.warning("messages_left_to_sweeper", count=len(messages))
        return False
    return True


async def wake_committer(workspace: WorkspaceName, context: WorkerContext) -> None:
    """Ask for a commit of what is ready by now, unless a committer is at the workspace.

    It looks again after its turn, and finds what was ready while we saw the lease held; where it
    could not, the sweeper asks. A message for each document would only keep it from its work.
    """
    with suppress(UnavailableError):  # the broker may be there when the ledger is not
        if await context.ledger.workspaces.is_commit_lease_taken(workspace):
            return
    await send_or_leave_to_sweeper([CommitWorkspace(workspace=workspace)], context)
