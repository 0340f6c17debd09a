"""Documents as people see them, and the two ways a new revision comes about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from shared.errors import DocumentNotFoundError, LedgerUnavailableError
from shared.ids import DocumentId, WorkspaceName
from shared.ledger import adoption, commit_leases, revisions
from shared.ledger.cursor import decode_cursor, to_page
from shared.ledger.engine import Database
from shared.ledger.records import (
    Accepted,
    CommitLease,
    Document,
    FoundDocument,
    NewUpload,
    Page,
    Task,
    TaskState,
)
from shared.ledger.rows import to_document
from shared.ledger.tables import documents, tasks

# The second look finds the key that won the race; more are for a key that is removed meanwhile.
_KEY_RACES = 5


class Documents:
    """Uploads, deletes and lists of documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, upload: NewUpload) -> Accepted:
        """Make an upload a task, or find the task that stands for it already.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
            IdempotencyKeyReusedError: the key belongs to another upload.
        """
        for _ in range(_KEY_RACES):
            try:
                async with self._database.writing() as connection:
                    return await revisions.accept(connection, upload)
            except revisions.KeyRaceError:
                continue
        raise LedgerUnavailableError

    async def request_delete(
        self, workspace: WorkspaceName, doc_id: DocumentId, *, request_id: str | None
    ) -> Task:
        """Make a delete a task, or find the one that is pending.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
            DocumentNotFoundError: there is none, or it is deleted already.
        """
        async with self._database.writing() as connection:
            return await revisions.request_delete(
                connection, workspace, doc_id, request_id=request_id
            )

    async def adopt(self, lease: CommitLease, found: Sequence[FoundDocument]) -> bool:
        """List documents that are in the stores already, as if they had been uploaded here.

        Those that are listed stay as they are.

        Args:
            lease: of their workspace.
            found: some hundreds at most.

        Returns:
            False when the lease was lost; nothing is listed then.
        """
        async with self._database.writing() as connection:
            if not await commit_leases.hold(connection, lease):
                return False
            await adoption.adopt(connection, lease, found)
            return True

    async def get(self, workspace: WorkspaceName, doc_id: DocumentId) -> Document:
        """Return a document.

        Raises:
            DocumentNotFoundError: there is none, or it was deleted.
        """
        statement = _visible(workspace).where(documents.c.doc_id == doc_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise DocumentNotFoundError
        return to_document(row)

    async def page(
        self,
        workspace: WorkspaceName,
        *,
        cursor: str | None,
        limit: int,
        state: TaskState | None = None,
    ) -> Page[Document]:
        """List documents by doc_id; `state` is that of their latest task.

        Raises:
            InvalidInputError: the cursor is not one of ours.
        """
        statement = _visible(workspace).order_by(documents.c.doc_id).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(documents.c.doc_id > decode_cursor(cursor))
        if state is not None:
            statement = statement.where(tasks.c.state == state)
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, to_document, key="doc_id", limit=limit)


def _visible(workspace: WorkspaceName) -> Select[*tuple[Any, ...]]:
    return (
        select(
            documents,
            tasks.c.state.label("latest_task_state"),
            tasks.c.kind.label("latest_task_kind"),
        )
        .join(tasks, tasks.c.id == documents.c.latest_task_id)
        .where(documents.c.workspace == workspace, ~documents.c.deleted)
    )
