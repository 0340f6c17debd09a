"""Asking for the next step; the ledger knows about it already, so a lost message only delays it."""

from shared.contract.payloads import Payload
from shared.errors import QueueUnavailableError
from shared.logs import get_logger
from worker.context import WorkerContext

_log = get_logger(__name__)


async def send_or_leave_to_sweeper(message: Payload, context: WorkerContext) -> bool:
    """Send a message; False when the broker is down and the sweeper will send it later."""
    try:
        await context.sender.send(message)
    except QueueUnavailableError:
        _log.warning("message_left_to_sweeper", message=message.name)
        return False
    return True
