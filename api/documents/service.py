"""Accepts an upload: bytes first, then the ledger, then a hint to the workers."""

from dataclasses import dataclass

from starlette.requests import Request

from api.documents.upload import open_form, receive_file
from api.hints import wake_worker
from api.metrics import UPLOAD_BYTES
from api.resources import Resources
from shared.errors import AppError, UnavailableError
from shared.ids import (
    DocumentId,
    ObjectKey,
    WorkspaceName,
    document_id_for_key,
    new_document_id,
    new_object_key,
)
from shared.ledger.records import Accepted, NewUpload, Task
from shared.ledger.task_ids import ids_of
from shared.logs import get_logger
from shared.tracing.spans import Kind, annotate, span

logger = get_logger(__name__)


@dataclass(frozen=True)
class UploadContext:
    """What is known of an upload from the request's head."""

    workspace: WorkspaceName
    idempotency_key: str | None
    request_id: str


async def accept_upload(request: Request, context: UploadContext, resources: Resources) -> Task:
    """Keep a document and return the task that stands for it.

    Raises:
        InvalidInputError: the request is not a proper upload.
        UploadTooLargeError: the file is larger than MAX_UPLOAD_BYTES.
        WorkspaceNotFoundError: the workspace was deleted meanwhile.
        ObjectStoreUnavailableError, LedgerUnavailableError: nothing was kept.
    """
    upload = await _store(request, context, resources)
    accepted = await _record(upload, resources)
    if accepted.created:
        UPLOAD_BYTES.inc(upload.size_bytes)
    else:
        await _discard(upload.object_key, resources)
    annotate(ids := ids_of(accepted.task))
    logger.info("upload_accepted", **ids, created=accepted.created)
    await wake_worker(accepted.task, ledger=resources.ledger, sender=resources.sender)
    return accepted.task


async def _store(request: Request, context: UploadContext, resources: Resources) -> NewUpload:
    max_file_bytes = resources.settings.limits.max_upload_bytes
    form = open_form(request, max_file_bytes=max_file_bytes)
    key = new_object_key(context.workspace)
    chunks = receive_file(request, form, max_file_bytes=max_file_bytes)
    with span("store upload", kind=Kind.CLIENT) as storing:
        stored = await resources.objects.put(key, chunks)
        storing.set({"size_bytes": stored.size_bytes})
    return NewUpload(
        workspace=context.workspace,
        doc_id=form.doc_id or _made_document_id(context),
        object_key=key,
        file_name=form.file_name,
        content_type=form.content_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        idempotency_key=context.idempotency_key,
        request_id=context.request_id,
    )


def _made_document_id(context: UploadContext) -> DocumentId:
    if context.idempotency_key is None:
        return new_document_id()
    return document_id_for_key(context.workspace, context.idempotency_key)


async def _record(upload: NewUpload, resources: Resources) -> Accepted:
    try:
        with span("accept upload", {"db.system.name": "ledger"}, kind=Kind.CLIENT):
            return await resources.ledger.documents.accept(upload)
    except UnavailableError:
        await _discard_unless_accepted(upload.object_key, resources)
        raise
    except AppError:
        await _discard(upload.object_key, resources)
        raise


async def _discard_unless_accepted(key: ObjectKey, resources: Resources) -> None:
    """A connection can break after the ledger wrote the row; bytes of a task must not go.

    While the ledger cannot say, they stay; the sweeper removes what no task refers to.
    """
    try:
        if key in await resources.ledger.tasks.referenced_objects([key]):
            return
    except UnavailableError:
        logger.warning("object_left_to_sweeper", object_key=key)
        return
    await _discard(key, resources)


async def _discard(key: ObjectKey, resources: Resources) -> None:
    try:
        await resources.objects.delete([key])
    except UnavailableError:
        logger.warning("object_left_to_sweeper", object_key=key)
