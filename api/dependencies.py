"""How routes ask for what they need."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from api.metrics import RequestMetrics
from api.resources import Resources
from shared.ids import DEFAULT_WORKSPACE, WorkspaceName, parse_workspace_name
from shared.ledger.ledger import Ledger
from shared.ledger.records import Workspace


def get_resources(request: Request) -> Resources:
    """Return what the lifespan opened."""
    resources: Resources = request.state.resources
    return resources


def get_metrics(request: Request) -> RequestMetrics:
    """Return the series of this application."""
    metrics: RequestMetrics = request.app.state.metrics
    return metrics


def get_request_id(request: Request) -> str:
    """Return the id that the middleware gave to this request."""
    request_id: str = request.state.request_id
    return request_id


ResourcesDep = Annotated[Resources, Depends(get_resources)]
MetricsDep = Annotated[RequestMetrics, Depends(get_metrics)]
RequestIdDep = Annotated[str, Depends(get_request_id)]


def get_ledger(resources: ResourcesDep) -> Ledger:
    """Return the ledger."""
    return resources.ledger


LedgerDep = Annotated[Ledger, Depends(get_ledger)]


def get_workspace_name(
    lightrag_workspace: Annotated[
        str, Header(description="1 to 40 of a-z, 0-9 and _.")
    ] = DEFAULT_WORKSPACE,
) -> WorkspaceName:
    """Read the header LIGHTRAG-WORKSPACE.

    Raises:
        InvalidWorkspaceNameError: it is not a workspace name.
    """
    return parse_workspace_name(lightrag_workspace)


WorkspaceNameDep = Annotated[WorkspaceName, Depends(get_workspace_name)]


async def get_workspace(name: WorkspaceNameDep, ledger: LedgerDep) -> Workspace:
    """Look the workspace of this request up.

    Raises:
        WorkspaceNotFoundError: there is none of this name.
        LedgerUnavailableError: the ledger did not answer.
    """
    return await ledger.workspaces.get(name)


WorkspaceDep = Annotated[Workspace, Depends(get_workspace)]


async def get_exit_stack() -> AsyncIterator[AsyncExitStack]:
    """Give a stack that is unwound after the answer was sent, or given up."""
    async with AsyncExitStack() as stack:
        yield stack


ExitStackDep = Annotated[AsyncExitStack, Depends(get_exit_stack)]

LimitParameter = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
# Our cursors have about a hundred characters; those of /usage hold the name of a model, too.
CursorParameter = Annotated[
    str | None, Query(max_length=500, description="The `cursor` of the page before.")
]
