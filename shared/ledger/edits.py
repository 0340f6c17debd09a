"""Edits of a graph: tasks that are ready at once and are about no document."""

from sqlalchemy import insert

from shared.graph_edits import GraphEdit
from shared.ids import WorkspaceName, new_task_id, physical_workspace
from shared.ledger.clock import now_ms
from shared.ledger.engine import Database
from shared.ledger.locks import lock_active_workspace
from shared.ledger.records import Task, TaskKind, TaskState
from shared.ledger.rows import to_task
from shared.ledger.tables import tasks
from shared.tracing.spans import traceparent


class Edits:
    """What people order to be changed in a graph."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self, workspace: WorkspaceName, edit: GraphEdit, *, request_id: str | None
    ) -> Task:
        """Make an edit a task; the committer takes it up in its turn.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
        """
        async with self._database.writing() as connection:
            row = await lock_active_workspace(connection, workspace)
            added = await connection.execute(
                insert(tasks)
                .values(
                    id=new_task_id(),
                    workspace=workspace,
                    physical=physical_workspace(workspace, generation=row.generation),
                    kind=TaskKind.EDIT,
                    state=TaskState.READY,
                    payload=edit.as_row(),
                    file_name="",
                    content_type="",
                    size_bytes=0,
                    sha256="",
                    request_id=request_id,
                    trace_parent=traceparent(),
                    created_at_ms=now_ms(),
                    updated_at_ms=now_ms(),
                    ready_at_ms=now_ms(),
                )
                .returning(tasks)
            )
            return to_task(added.one())
