"""Which function answers which message; Celery and files mode dispatch through the same table."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any

from shared.contract.names import QUEUE_OF, TaskName
from shared.contract.payloads import (
    BackUp,
    Clean,
    CommitWorkspace,
    ExtractBatch,
    Payload,
    PrepareDocument,
    Sweep,
)
from shared.logs import bind, clear
from shared.tracing.spans import continued
from worker.back_up import back_up
from worker.clean import clean
from worker.commit.workspace import commit_workspace
from worker.context import WorkerContext
from worker.ingestion.extract import extract_batch
from worker.ingestion.prepare import prepare_document
from worker.sweep import sweep

Handler = Callable[[Any, WorkerContext], Coroutine[Any, Any, None]]

HANDLERS: dict[TaskName, tuple[type[Payload], Handler]] = {
    TaskName.PREPARE: (PrepareDocument, prepare_document),
    TaskName.EXTRACT: (ExtractBatch, extract_batch),
    TaskName.COMMIT: (CommitWorkspace, commit_workspace),
    TaskName.SWEEP: (Sweep, sweep),
    TaskName.CLEAN: (Clean, clean),
    TaskName.BACK_UP: (BackUp, back_up),
}


async def handle(
    name: TaskName,
    body: dict[str, Any],
    context: WorkerContext,
    *,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Answer one message.

    Args:
        name: what it asks for.
        body: the fields of its payload.
        context: of this process.
        headers: which trace it was sent from; empty: the one that we are in, if any.
    """
    payload_type, handler = HANDLERS[name]
    payload = payload_type(**body)
    bind(
        message=name.value,
        stage=QUEUE_OF[name].value,
        **payload.model_dump(mode="json", exclude_none=True),
    )
    try:
        with continued(headers) if headers else nullcontext():
            await handler(payload, context)
    finally:
        clear()
