"""Makes an edit of the graph a task for the one who writes the workspace."""

from fastapi import Response

from api.dependencies import RequestIdDep, ResourcesDep, WorkspaceDep
from api.hints import wake_worker
from api.tasks.schemas import AcceptedTask
from shared.graph_edits import GraphEdit


class Orders:
    """Takes the edits that a request orders."""

    def __init__(
        self,
        workspace: WorkspaceDep,
        resources: ResourcesDep,
        request_id: RequestIdDep,
        response: Response,
    ) -> None:
        """Keep what the request came with."""
        self._workspace = workspace
        self._resources = resources
        self._request_id = request_id
        self._response = response

    async def accept(self, edit: GraphEdit) -> AcceptedTask:
        """Keep an edit and wake the committer.

        Raises:
            WorkspaceNotFoundError: the workspace was deleted meanwhile.
            LedgerUnavailableError: nothing was kept.
        """
        ledger = self._resources.ledger
        task = await ledger.edits.request(self._workspace.name, edit, request_id=self._request_id)
        await wake_worker(task, ledger=ledger, sender=self._resources.sender)
        accepted = AcceptedTask.of(task)
        self._response.headers["Location"] = accepted.status_url
        return accepted
