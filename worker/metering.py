"""On whose account a stage's model calls go, and that they are written down when it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.ledger.records import Task
from shared.rag.calls import Purpose, call_context
from worker.context import WorkerContext


@asynccontextmanager
async def metered(purpose: Purpose, task: Task, context: WorkerContext) -> AsyncIterator[None]:
    """Count the model calls inside the `async with` block for `task`.

    They are in the ledger when the block is left, before the task can reach its next state; with
    the ledger away they follow later.
    """
    try:
        with call_context(purpose, workspace=task.workspace, task_id=task.id):
            yield
    finally:
        await context.rags.meter.flush_task(task.id, context.ledger)
