"""POST and GET /workspaces, DELETE /workspaces/{name}, POST /workspaces/{name}/pause, /resume."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.dependencies import CursorParameter, LedgerDep, LimitParameter, ResourcesDep
from api.hints import wake_committer, wake_worker
from api.tasks.schemas import AcceptedTask
from api.workspaces.schemas import NewWorkspace, WorkspacePage, WorkspaceView
from shared.ids import parse_workspace_name

router = APIRouter(tags=["workspaces"])


@router.post("/workspaces", status_code=HTTPStatus.CREATED)
async def create_workspace(body: NewWorkspace, ledger: LedgerDep) -> WorkspaceView:
    """Create an empty workspace."""
    return WorkspaceView.of(await ledger.workspaces.create(parse_workspace_name(body.name)))


@router.get("/workspaces")
async def list_workspaces(
    ledger: LedgerDep, *, cursor: CursorParameter = None, limit: LimitParameter = 50
) -> WorkspacePage:
    """List all workspaces with how many documents each has."""
    return WorkspacePage.of(await ledger.workspaces.page(cursor, limit=limit))


@router.delete("/workspaces/{name}", status_code=HTTPStatus.ACCEPTED)
async def delete_workspace(name: str, resources: ResourcesDep, response: Response) -> AcceptedTask:
    """Delete a workspace with everything in it; `default` is made again, empty."""
    task = await resources.ledger.workspaces.request_drop(parse_workspace_name(name))
    await wake_worker(task, ledger=resources.ledger, sender=resources.sender)
    accepted = AcceptedTask.of(task)
    response.headers["Location"] = accepted.status_url
    return accepted


@router.post("/workspaces/{name}/pause")
async def pause_workspace(name: str, ledger: LedgerDep) -> WorkspaceView:
    """Begin no more commits until it is resumed; uploads are taken and wait, questions go on."""
    workspace = parse_workspace_name(name)
    await ledger.holds.pause(workspace)
    return WorkspaceView.of(await ledger.workspaces.show(workspace))


@router.post("/workspaces/{name}/resume")
async def resume_workspace(name: str, resources: ResourcesDep) -> WorkspaceView:
    """Commit again, unless a copy that runs just now needs the pause for some more seconds."""
    workspace = parse_workspace_name(name)
    await resources.ledger.holds.resume(workspace)
    await wake_committer(workspace, sender=resources.sender)
    return WorkspaceView.of(await resources.ledger.workspaces.show(workspace))
