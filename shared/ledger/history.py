"""A workspace's documents, tasks and edits, taken out of one ledger and into another."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import ObjectKey, PhysicalWorkspace, WorkspaceName, workspace_of
from shared.ledger import commit_leases
from shared.ledger.engine import Database
from shared.ledger.history_records import DocumentRecord, HistoryEntry, TaskRecord
from shared.ledger.records import CommitLease, TaskKind, TaskState
from shared.ledger.revisions import insert_unless_there
from shared.ledger.rows import ENDED_STATES, AnyRow
from shared.ledger.tables import documents, tasks

# A document that is replaced every hour has hundreds of tasks.
_PAGE = 50
# PostgreSQL takes 32,767 values in one statement, and a task has two dozen.
_TASKS_AT_ONCE = 500
_DOCUMENT_FIELDS = tuple(DocumentRecord.model_fields)
_TASK_FIELDS = tuple(TaskRecord.model_fields)
# What a task is before anybody worked on it: batches and leases do not travel.
_NOT_BEGUN = {
    "attempt": 0,
    "chunks_total": None,
    "chunks_done": 0,
    "error_code": None,
    "error_detail": None,
    "started_at_ms": None,
    "finished_at_ms": None,
}

_PageAfter: TypeAlias = Callable[
    [AsyncConnection, WorkspaceName, PhysicalWorkspace, str], Awaitable[list[HistoryEntry]]
]


class History:
    """What happened in a workspace, beside what it holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, name: WorkspaceName, physical: PhysicalWorkspace
    ) -> AsyncIterator[list[HistoryEntry]]:
        """Give all documents with their tasks, then all edits, some dozens at a time.

        A document is given as it is at one moment. Nobody may commit meanwhile.
        """
        for page_after in (_documents_after, _edits_after):
            last = ""
            while page := await self._in_one_moment(page_after, name, physical, last):
                yield page
                last = page[-1].name

    async def _in_one_moment(
        self,
        page_after: _PageAfter,
        name: WorkspaceName,
        physical: PhysicalWorkspace,
        last: str,
    ) -> list[HistoryEntry]:
        async with self._database.writing() as connection:
            return await page_after(connection, name, physical, last)

    async def restore(self, lease: CommitLease, entries: Sequence[HistoryEntry]) -> bool:
        """List what another ledger listed; what is listed here already stays as it is.

        A task that had not ended begins anew. It keeps its id, unless a task of another workspace
        has it here. Repeating it changes nothing.

        Args:
            lease: of the workspace that it goes to.
            entries: some hundred; the bytes that they refer to are at `key_here` already.

        Returns:
            False when the lease was lost; nothing is listed then.
        """
        async with self._database.writing() as connection:
            if not await commit_leases.hold(connection, lease):
                return False
            names = await _names_here(connection, lease.physical, entries)
            rows = [
                _task_row(entry, task, lease) | {"id": names[task.id]}
                for entry in entries
                for task in entry.tasks
            ]
            for start in range(0, len(rows), _TASKS_AT_ONCE):
                some = rows[start : start + _TASKS_AT_ONCE]
                await connection.execute(insert_unless_there(connection, tasks).values(some))
            listed = [
                _document_row(entry.document, lease, names) for entry in entries if entry.document
            ]
            if listed:
                await connection.execute(insert_unless_there(connection, documents).values(listed))
            return True

    async def missing(
        self, name: WorkspaceName, physical: PhysicalWorkspace, entries: Sequence[HistoryEntry]
    ) -> list[str]:
        """Return the names of those entries that `restore` did not bring, or somebody undid.

        A document that has a newer revision here has gone its own way, and is not missing.
        """
        async with self._database.reading() as connection:
            names = await _names_here(connection, physical, entries)
            wanted = [entry.document.doc_id for entry in entries if entry.document]
            found_documents = await connection.execute(
                select(documents).where(
                    documents.c.workspace == name, documents.c.doc_id.in_(wanted)
                )
            )
            by_id = {row.doc_id: row for row in found_documents}
            there = await _ids_among(connection, names.values(), tasks.c.physical == physical)
        return [
            entry.name
            for entry in entries
            if not _is_there(
                entry, by_id, has_tasks={names[task.id] for task in entry.tasks} <= there
            )
        ]


def key_here(physical: PhysicalWorkspace, key: str) -> ObjectKey:
    """Return where bytes that another installation keeps under a key are kept here.

    The same at every repetition, and never the same for two workspaces: each removes its own.
    """
    _, _, name = key.rpartition("/")
    return ObjectKey(f"uploads/{workspace_of(physical)}/{_derived(physical, name)}")


def _derived(physical: PhysicalWorkspace, name: str) -> str:
    """Make another ordered name of one: its milliseconds stay, its random part changes."""
    digest = hashlib.sha256(f"{physical}/{name}".encode()).hexdigest()
    return f"{name.removeprefix('task-')[:12]}{digest[:20]}"


async def _documents_after(
    connection: AsyncConnection, name: WorkspaceName, physical: PhysicalWorkspace, last: str
) -> list[HistoryEntry]:
    found = await connection.execute(
        select(documents)
        .where(documents.c.workspace == name, documents.c.doc_id > last)
        .order_by(documents.c.doc_id)
        .limit(_PAGE)
    )
    by_id = {row.doc_id: row for row in found}
    if not by_id:
        return []
    theirs: dict[str, list[AnyRow]] = {doc_id: [] for doc_id in by_id}
    for row in await connection.execute(
        select(tasks)
        .where(tasks.c.workspace == name, tasks.c.physical == physical)
        .where(tasks.c.doc_id.in_(by_id))
        .order_by(tasks.c.id)
    ):
        # A revision that was added after we looked at its document is not ours to tell of.
        if row.revision <= by_id[row.doc_id].latest_revision:
            theirs[row.doc_id].append(row)
    return [_entry(document, theirs[doc_id]) for doc_id, document in by_id.items()]


async def _edits_after(
    connection: AsyncConnection, name: WorkspaceName, physical: PhysicalWorkspace, last: str
) -> list[HistoryEntry]:
    found = await connection.execute(
        select(tasks)
        .where(tasks.c.workspace == name, tasks.c.id > last)
        .where(tasks.c.physical == physical, tasks.c.kind == TaskKind.EDIT)
        .order_by(tasks.c.id)
        .limit(_PAGE)
    )
    return [HistoryEntry(document=None, tasks=[_task(row, frozenset())]) for row in found]


def _entry(document: AnyRow, theirs: Iterable[AnyRow]) -> HistoryEntry:
    of_use = frozenset({document.latest_task_id, document.committed_task_id})
    fields = {name: document._mapping[name] for name in _DOCUMENT_FIELDS}  # noqa: SLF001 - its public way to names
    return HistoryEntry(
        document=DocumentRecord(**fields), tasks=[_task(row, of_use) for row in theirs]
    )


def _task(row: AnyRow, of_use: frozenset[str]) -> TaskRecord:
    fields = {name: row._mapping[name] for name in _TASK_FIELDS}  # noqa: SLF001 - its public way to names
    if row.state not in ENDED_STATES:
        is_insert = row.kind == TaskKind.INSERT
        fields |= _NOT_BEGUN | {"state": TaskState.QUEUED if is_insert else TaskState.READY}
    elif row.id not in of_use:
        fields["object_key"] = None
    return TaskRecord(**fields)


async def _names_here(
    connection: AsyncConnection, physical: PhysicalWorkspace, entries: Sequence[HistoryEntry]
) -> dict[str, str]:
    """Choose the ids that tasks have here: their own, where no other workspace's task has it."""
    ids = [task.id for entry in entries for task in entry.tasks]
    taken = await _ids_among(connection, ids, tasks.c.physical != physical)
    return {one: f"task-{_derived(physical, one)}" if one in taken else one for one in ids}


async def _ids_among(
    connection: AsyncConnection, ids: Iterable[str], condition: ColumnElement[bool]
) -> set[str]:
    """Return those of the ids whose tasks meet a condition; there may be any number."""
    found: set[str] = set()
    left = iter(ids)
    while some := list(islice(left, _TASKS_AT_ONCE)):
        statement = select(tasks.c.id).where(tasks.c.id.in_(some), condition)
        found |= set((await connection.execute(statement)).scalars())
    return found


def _task_row(entry: HistoryEntry, task: TaskRecord, lease: CommitLease) -> dict[str, Any]:
    row = task.model_dump()
    if task.object_key is not None:
        row["object_key"] = key_here(lease.physical, task.object_key)
    return row | {
        "workspace": lease.workspace,
        "physical": lease.physical,
        "doc_id": entry.document.doc_id if entry.document else None,
        "payload": null() if task.payload is None else task.payload,
        "ready_at_ms": task.created_at_ms if task.state is TaskState.READY else None,
    }


def _document_row(
    document: DocumentRecord, lease: CommitLease, names: dict[str, str]
) -> dict[str, Any]:
    row = document.model_dump() | {"workspace": lease.workspace}
    for field in ("latest_task_id", "committed_task_id"):
        row[field] = names.get(row[field], row[field])
    return row


def _is_there(entry: HistoryEntry, by_id: dict[str, AnyRow], *, has_tasks: bool) -> bool:
    if entry.document is None:
        return has_tasks
    here = by_id.get(entry.document.doc_id)
    if here is None or here.latest_revision < entry.document.latest_revision:
        return False
    if here.latest_revision > entry.document.latest_revision:
        return True
    return bool(has_tasks and here.sha256 == entry.document.sha256)
