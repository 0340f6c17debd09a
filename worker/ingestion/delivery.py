"""Asking for the next step; the ledger knows about it already, so a lost message only delays it."""

from collections.abc import Sequence

from shared.contract.payloads import Payload
from shared.errors import QueueUnavailableError
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
