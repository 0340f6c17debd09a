"""Removing a document or a whole workspace from LightRAG's stores."""

from lightrag import LightRAG

from shared.errors import AppError, UnavailableError
from shared.ids import DocumentId

_CONFLICT = 409


class DeletionIncompleteError(UnavailableError):
    """A store or model failed while the document was removed; the removal is tried again."""

    code = "deletion_incomplete"


class DeletionRefusedError(AppError):
    """The records that a safe removal needs are missing; check the workspace's stores."""

    code = "deletion_refused"


async def delete_document(rag: LightRAG, doc_id: DocumentId) -> None:
    """Remove one document; entities that others share are rebuilt from their cached replies.

    Removing what is not there succeeds, so a repeated removal is safe.

    Raises:
        DeletionIncompleteError: something failed half-way; LightRAG resumes at the next call.
        DeletionRefusedError: LightRAG found no proof of what the document had written.
    """
    result = await rag.adelete_by_doc_id(doc_id)
    if result.status in {"success", "not_found"}:
        return
    if result.status_code == _CONFLICT:
        raise DeletionRefusedError
    # LightRAG turns every exception into a text; what it was is in its log line.
    raise DeletionIncompleteError


async def drop_workspace(rag: LightRAG) -> None:
    """Remove everything that LightRAG keeps of one workspace.

    Raises:
        DeletionIncompleteError: a store failed; dropping again is safe.
    """
    for storage in rag._index_storages():  # noqa: SLF001 - pinned internals
        result = await storage.drop()
        if result.get("status") != "success":
            raise DeletionIncompleteError
