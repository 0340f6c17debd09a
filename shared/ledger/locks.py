"""Row locks, always taken in this order: lease, workspace, document, task, batch, upload key.

SQLite needs none of them: there a writing transaction is alone from its first statement on.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import WorkspaceNotFoundError
from shared.ids import DocumentId, WorkspaceName
from shared.ledger.rows import AnyRow
from shared.ledger.tables import documents, workspaces


async def lock_workspace(connection: AsyncConnection, name: WorkspaceName) -> AnyRow | None:
    """Keep a workspace as it is; others may do the same at once."""
    statement = select(workspaces).where(workspaces.c.name == name).with_for_update(read=True)
    return (await connection.execute(statement)).one_or_none()


async def lock_active_workspace(connection: AsyncConnection, name: WorkspaceName) -> AnyRow:
    """Keep a workspace active until this transaction ends.

    Raises:
        WorkspaceNotFoundError: there is none, or it is being deleted.
    """
    row = await lock_workspace(connection, name)
    if row is None or row.state != "active":
        raise WorkspaceNotFoundError.of(name)
    return row


async def lock_document(
    connection: AsyncConnection, workspace: WorkspaceName, doc_id: DocumentId
) -> AnyRow | None:
    """Be the only one who changes a document's revisions until this transaction ends."""
    statement = (
        select(documents)
        .where(documents.c.workspace == workspace, documents.c.doc_id == doc_id)
        .with_for_update()
    )
    return (await connection.execute(statement)).one_or_none()
