"""Wakes the workers: a message is only a hint, since the sweeper finds what no message told."""

from shared.contract.payloads import CommitWorkspace, Payload, PrepareDocument
from shared.contract.sender import Sender
from shared.errors import UnavailableError
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import Task, TaskState
from shared.ledger.task_ids import ids_of
from shared.logs import get_logger

logger = get_logger(__name__)


async def wake_worker(task: Task, *, ledger: Ledger, sender: Sender) -> None:
    """Send the message for a task's present state, if it waits for one; never fails.

    The task is in the ledger by now, so a broker or ledger that is away changes nothing for the
    client: the sweeper sends what was not marked as sent.
    """
    message = _message_for(task)
    if message is None:
        return
    try:
        await sender.send(message)
        await ledger.tasks.mark_sent(task.id)
    except UnavailableError as error:
        logger.warning("message_left_to_sweeper", **ids_of(task), error_code=error.code)


async def wake_committer(workspace: WorkspaceName, *, sender: Sender) -> None:
    """Ask for a commit of whatever waits in a workspace; never fails, as above."""
    try:
        await sender.send(CommitWorkspace(workspace=workspace))
    except UnavailableError as error:
        logger.warning("message_left_to_sweeper", workspace=workspace, error_code=error.code)


def _message_for(task: Task) -> Payload | None:
    if task.state is TaskState.QUEUED:
        return PrepareDocument(task_id=task.id, request_id=task.request_id)
    if task.state is TaskState.READY:
        return CommitWorkspace(workspace=task.workspace)
    return None
