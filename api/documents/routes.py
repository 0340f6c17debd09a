"""POST /insert, GET /documents, GET and DELETE /documents/{doc_id}."""

import re
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from api.body_limit import UPLOAD_PATH
from api.dependencies import (
    CursorParameter,
    LedgerDep,
    LimitParameter,
    RequestIdDep,
    ResourcesDep,
    WorkspaceDep,
)
from api.documents.schemas import DocumentPage, DocumentView
from api.documents.service import UploadContext, accept_upload
from api.errors import InvalidIdempotencyKeyError
from api.hints import wake_worker
from api.tasks.schemas import AcceptedTask
from shared.ids import parse_document_id
from shared.ledger.records import TaskState

router = APIRouter(tags=["documents"])

_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")
# The body is read by hand, so FastAPI cannot know what it looks like.
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "doc_id": {"type": "string", "maxLength": 128},
                    },
                }
            }
        },
    }
}


def get_idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description="The same key and upload: the same task.")
    ] = None,
) -> str | None:
    """Read the header Idempotency-Key.

    Raises:
        InvalidIdempotencyKeyError: it is empty, too long, or not printable.
    """
    if idempotency_key is not None and not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise InvalidIdempotencyKeyError
    return idempotency_key


@router.post(UPLOAD_PATH, status_code=HTTPStatus.ACCEPTED, openapi_extra=_UPLOAD_BODY)
async def insert_document(
    request: Request,
    response: Response,
    workspace: WorkspaceDep,
    resources: ResourcesDep,
    request_id: RequestIdDep,
    idempotency_key: Annotated[str | None, Depends(get_idempotency_key)],
) -> AcceptedTask:
    """Accept a document; it is kept when this answers, and in the graph when its task succeeded."""
    context = UploadContext(
        workspace=workspace.name, idempotency_key=idempotency_key, request_id=request_id
    )
    accepted = AcceptedTask.of(await accept_upload(request, context, resources))
    response.headers["Location"] = accepted.status_url
    return accepted


@router.get("/documents")
async def list_documents(
    ledger: LedgerDep,
    workspace: WorkspaceDep,
    *,
    state: TaskState | None = None,
    cursor: CursorParameter = None,
    limit: LimitParameter = 50,
) -> DocumentPage:
    """List a workspace's documents."""
    page = await ledger.documents.page(workspace.name, cursor=cursor, limit=limit, state=state)
    return DocumentPage.of(page)


@router.get("/documents/{doc_id}")
async def get_document(doc_id: str, workspace: WorkspaceDep, ledger: LedgerDep) -> DocumentView:
    """Show one document."""
    return DocumentView.of(await ledger.documents.get(workspace.name, parse_document_id(doc_id)))


@router.delete("/documents/{doc_id}", status_code=HTTPStatus.ACCEPTED)
async def delete_document(
    doc_id: str,
    workspace: WorkspaceDep,
    resources: ResourcesDep,
    request_id: RequestIdDep,
    response: Response,
) -> AcceptedTask:
    """Remove a document from the graph and the stores."""
    task = await resources.ledger.documents.request_delete(
        workspace.name, parse_document_id(doc_id), request_id=request_id
    )
    await wake_worker(task, ledger=resources.ledger, sender=resources.sender)
    accepted = AcceptedTask.of(task)
    response.headers["Location"] = accepted.status_url
    return accepted
