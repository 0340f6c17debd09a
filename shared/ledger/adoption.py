"""Documents that are in the stores already: listed as if they had been uploaded and committed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import new_task_id
from shared.ledger.clock import now_ms
from shared.ledger.records import CommitLease, FoundDocument, TaskKind, TaskState
from shared.ledger.revisions import insert_unless_there
from shared.ledger.rows import storable
from shared.ledger.tables import documents, tasks

_CONTENT_TYPE = "text/plain"
_DONE = {"updated_at_ms": now_ms(), "started_at_ms": now_ms(), "finished_at_ms": now_ms()}


async def adopt(
    connection: AsyncConnection, lease: CommitLease, found: Sequence[FoundDocument]
) -> None:
    """Add the documents that are not listed, each with one task that succeeded.

    Args:
        connection: in a transaction that holds the lease.
        lease: of the documents' workspace.
        found: some hundreds at most.
    """
    rows = {one.doc_id: _document(one, lease) for one in found}
    if not rows:
        return
    added = await connection.execute(
        insert_unless_there(connection, documents)
        .values(list(rows.values()))
        .returning(documents.c.doc_id)
    )
    wanted = set(added.scalars())
    new = [_task(one, rows[one.doc_id], lease) for one in found if one.doc_id in wanted]
    if new:
        await connection.execute(insert(tasks).values(_DONE), new)


def _document(found: FoundDocument, lease: CommitLease) -> dict[str, Any]:
    task_id = new_task_id()
    return {
        "workspace": lease.workspace,
        "doc_id": found.doc_id,
        "latest_revision": 1,
        "committed_revision": 1,
        "latest_task_id": task_id,
        "committed_task_id": task_id,
        "chunks": found.chunks,
        "created_at_ms": found.created_at_ms,
        "updated_at_ms": found.created_at_ms,
        **_file(found),
    }


def _task(found: FoundDocument, document: dict[str, Any], lease: CommitLease) -> dict[str, Any]:
    return {
        "id": document["latest_task_id"],
        "workspace": lease.workspace,
        "physical": lease.physical,
        "kind": TaskKind.INSERT,
        "doc_id": found.doc_id,
        "revision": 1,
        "state": TaskState.SUCCEEDED,
        "chunks_total": found.chunks,
        "chunks_done": found.chunks,
        "created_at_ms": found.created_at_ms,
        **_file(found),
    }


def _file(found: FoundDocument) -> dict[str, Any]:
    return {
        "file_name": storable(found.file_name),
        "content_type": _CONTENT_TYPE,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
    }
