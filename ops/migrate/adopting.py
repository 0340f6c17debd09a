"""Which documents a stream of operations brings, for the ledger to list."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from lightrag.base import DocStatus

from ops.migrate.comparing import moment_of
from shared.errors import InvalidDocumentIdError
from shared.ids import DocumentId, parse_document_id
from shared.ledger.records import FoundDocument
from worker.commit.operations import Kind, Operation

_TEXTS = "full_docs"


class FoundDocuments:
    """Collects documents while operations pass by: a hundred bytes of memory each."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[int, str]] = {}
        self._found: list[FoundDocument] = []
        self.unlisted: list[str] = []
        """Ids of documents that are not in the graph whole, or that no document may have here."""

    def add(self, operation: Operation) -> None:
        """Look at an operation; texts come before the status of their documents."""
        if operation.kind is Kind.PUT_ROWS and operation.storage == _TEXTS:
            for doc_id, row in operation.rows:
                text = str(row.get("content", "")).encode(errors="replace")
                self._texts[doc_id] = (len(text), hashlib.sha256(text).hexdigest())
        elif operation.kind is Kind.PUT_STATUS:
            for doc_id, row in operation.rows:
                self._add_document(doc_id, row)

    def __iter__(self) -> Iterator[FoundDocument]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _add_document(self, doc_id: str, row: dict[str, Any]) -> None:
        known = self._texts.get(doc_id)
        if known is None or row.get("status") != DocStatus.PROCESSED or not _may_be_id(doc_id):
            self.unlisted.append(doc_id)
            return
        size_bytes, sha256 = known
        document = FoundDocument(
            doc_id=DocumentId(doc_id),
            file_name=row.get("file_path") or doc_id,
            size_bytes=size_bytes,
            sha256=sha256,
            chunks=row.get("chunks_count") or len(row.get("chunks_list") or []),
            created_at_ms=_milliseconds(row.get("created_at")),
        )
        self._found.append(document)


def _may_be_id(text: str) -> bool:
    try:
        parse_document_id(text)
    except InvalidDocumentIdError:
        return False
    return True


def _milliseconds(moment: object) -> int:
    try:
        found = moment_of(str(moment))
    except ValueError:  # it has to have one
        found = datetime.now(UTC)
    return int(found.timestamp() * 1000)
