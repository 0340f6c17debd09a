"""Workspaces: made, listed, dropped, and leased to the one who may write them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select, update

from shared.errors import EmbeddingMismatchError, WorkspaceExistsError, WorkspaceNotFoundError
from shared.ids import TaskId, WorkspaceName
from shared.ledger import commit_leases, dropping
from shared.ledger.cursor import decode_cursor, to_page
from shared.ledger.engine import Database
from shared.ledger.hold_rows import is_paused
from shared.ledger.records import CommitLease, Page, Task, Workspace
from shared.ledger.rows import AnyRow, to_workspace
from shared.ledger.tables import documents, workspaces


class Workspaces:
    """What people, committers and the sweeper do with workspaces."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: WorkspaceName) -> Workspace:
        """Make a workspace; one that was dropped comes back empty, as its next generation.

        Raises:
            WorkspaceExistsError: it is there, or still being deleted.
        """
        async with self._database.writing() as connection:
            workspace = await dropping.create(connection, name)
        if workspace is None:
            raise WorkspaceExistsError
        return workspace

    async def get(self, name: WorkspaceName) -> Workspace:
        """Return an active workspace; its documents are not counted, for every request asks this.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
        """
        statement = select(workspaces).where(
            workspaces.c.name == name, workspaces.c.state == "active"
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            raise WorkspaceNotFoundError.of(name)
        return to_workspace(row)

    async def page(self, cursor: str | None, *, limit: int) -> Page[Workspace]:
        """List active workspaces by name, with what they hold and whether it changes.

        Raises:
            InvalidInputError: the cursor is not one of ours.
        """
        statement = _shown().order_by(workspaces.c.name).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(workspaces.c.name > decode_cursor(cursor))
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return to_page(rows, _to_shown, key="name", limit=limit)

    async def show(self, name: WorkspaceName) -> Workspace:
        """Return an active workspace with what the list tells of it.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
        """
        async with self._database.reading() as connection:
            found = await connection.execute(_shown().where(workspaces.c.name == name))
            row = found.one_or_none()
        if row is None:
            raise WorkspaceNotFoundError.of(name)
        return _to_shown(row)

    async def remember_embedding(self, name: WorkspaceName, *, model: str, dim: int) -> None:
        """Tie a workspace to the embedding it was first filled with.

        Raises:
            WorkspaceNotFoundError: there is no such workspace.
            EmbeddingMismatchError: it was filled with another one.
        """
        async with self._database.writing() as connection:
            await connection.execute(
                update(workspaces)
                .where(workspaces.c.name == name, workspaces.c.embedding_model.is_(None))
                .values(embedding_model=model, embedding_dim=dim)
            )
            found = await connection.execute(select(workspaces).where(workspaces.c.name == name))
            row = found.one_or_none()
        if row is None:
            raise WorkspaceNotFoundError.of(name)
        if (row.embedding_model, row.embedding_dim) != (model, dim):
            raise EmbeddingMismatchError

    async def embedding_of(self, name: WorkspaceName) -> tuple[str, int] | None:
        """Return the model and dimension a workspace was filled with, also while it is deleted."""
        statement = select(workspaces.c.embedding_model, workspaces.c.embedding_dim).where(
            workspaces.c.name == name, workspaces.c.embedding_model.is_not(None)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else (row.embedding_model, row.embedding_dim)

    async def request_drop(self, name: WorkspaceName) -> Task:
        """Close a workspace and make its deletion a task; asked again, the same task.

        Raises:
            WorkspaceNotFoundError: there is none.
        """
        async with self._database.writing() as connection:
            return await dropping.request_drop(connection, name)

    async def finish_drop(self, lease: CommitLease, task_id: TaskId) -> bool:
        """Remove what the ledger knows of a dropped workspace; False: the lease was lost."""
        async with self._database.writing() as connection:
            return await dropping.finish_drop(connection, lease, task_id)

    async def take_commit_lease(
        self, name: WorkspaceName, *, holder: str, ttl_ms: int
    ) -> CommitLease | None:
        """Take the right to write a workspace; None while any lease on it lives."""
        async with self._database.writing() as connection:
            return await commit_leases.take(connection, name, holder=holder, ttl_ms=ttl_ms)

    async def renew_commit_lease(self, lease: CommitLease, *, ttl_ms: int) -> bool:
        """Keep the lease; False: it was lost."""
        async with self._database.single() as connection:
            return await commit_leases.renew(connection, lease, ttl_ms=ttl_ms)

    async def holds_commit_lease(self, lease: CommitLease) -> bool:
        """Tell whether a lease is still its holder's."""
        async with self._database.reading() as connection:
            return await commit_leases.is_held(connection, lease)

    async def release_commit_lease(self, lease: CommitLease) -> None:
        """Give the lease back and go to the end of the line."""
        async with self._database.single() as connection:
            await commit_leases.release(connection, lease)

    async def is_commit_lease_taken(self, name: WorkspaceName) -> bool:
        """Tell whether anybody has the right to write a workspace just now."""
        async with self._database.reading() as connection:
            return await commit_leases.is_taken(connection, name)

    async def awaiting_commit(self, *, limit: int) -> list[WorkspaceName]:
        """List workspaces with something to commit and nobody at it, longest waiting first."""
        async with self._database.reading() as connection:
            return await commit_leases.awaiting_commit(connection, limit=limit)

    async def is_awaiting_commit(self, name: WorkspaceName) -> bool:
        """Tell whether this workspace has something to commit and nobody at it."""
        async with self._database.reading() as connection:
            return bool(await commit_leases.awaiting_commit(connection, limit=1, only=name))


def _shown() -> Select[Any]:
    count = (
        select(func.count())
        .select_from(documents)
        .where(documents.c.workspace == workspaces.c.name, ~documents.c.deleted)
        .scalar_subquery()
    )
    return select(
        workspaces,
        count.label("documents"),
        is_paused(workspaces.c.name).label("paused"),
        commit_leases.is_lease_alive(workspaces.c.name).label("committing"),
    ).where(workspaces.c.state == "active")


def _to_shown(row: AnyRow) -> Workspace:
    return replace(
        to_workspace(row),
        documents=row.documents,
        paused=bool(row.paused),
        committing=bool(row.committing),
    )
