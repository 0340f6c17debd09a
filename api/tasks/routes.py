"""GET /tasks, GET /tasks/{task_id}, and what can be done to a task."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.dependencies import (
    CursorParameter,
    LedgerDep,
    LimitParameter,
    ResourcesDep,
    WorkspaceDep,
)
from api.hints import wake_worker
from api.tasks.schemas import TaskDetails, TaskPage, TaskView
from shared.ids import TaskId, parse_document_id, parse_task_id
from shared.ledger.records import TaskState

router = APIRouter(tags=["tasks"])


def get_task_id(task_id: str) -> TaskId:
    """Read the task id in the path.

    Raises:
        TaskNotFoundError: there can be no such task, so the ledger is not asked.
    """
    return parse_task_id(task_id)


TaskIdParameter = Annotated[TaskId, Depends(get_task_id)]


@router.get("/tasks")
async def list_tasks(
    ledger: LedgerDep,
    workspace: WorkspaceDep,
    *,
    state: TaskState | None = None,
    doc_id: Annotated[str | None, Query(max_length=500)] = None,
    cursor: CursorParameter = None,
    limit: LimitParameter = 50,
) -> TaskPage:
    """List a workspace's tasks, newest first."""
    page = await ledger.tasks.page(
        workspace=workspace.name,
        state=state,
        doc_id=None if doc_id is None else parse_document_id(doc_id),
        cursor=cursor,
        limit=limit,
    )
    return TaskPage.of(page)


@router.get("/tasks/{task_id}")
async def get_task(task_id: TaskIdParameter, ledger: LedgerDep) -> TaskDetails:
    """Show how far a task is."""
    task = await ledger.tasks.get(task_id)
    return TaskDetails.with_usage(task, await ledger.usage.of_task(task_id))


@router.post("/tasks/{task_id}/cancel")
async def cancel_task(task_id: TaskIdParameter, ledger: LedgerDep) -> TaskView:
    """Cancel a task that is not being committed yet."""
    return TaskView.of(await ledger.tasks.request_cancel(task_id))


@router.post("/tasks/{task_id}/retry")
async def retry_task(task_id: TaskIdParameter, resources: ResourcesDep) -> TaskView:
    """Run a failed or cancelled task again."""
    task = await resources.ledger.tasks.retry(task_id)
    await wake_worker(task, ledger=resources.ledger, sender=resources.sender)
    return TaskView.of(task)
