"""Holds: a workspace in which nothing is committed for a while, or whose journals are kept.

A person's pause stays until it is ended. A tool's hold lives as long as the tool renews it, so that
one that was killed leaves nothing paused.
"""

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import WorkspaceBusyError
from shared.ids import PhysicalWorkspace, WorkspaceName, physical_workspace
from shared.ledger.clock import now_ms
from shared.ledger.engine import Database
from shared.ledger.hold_rows import Hold, holds, lives
from shared.ledger.locks import lock_active_workspace
from shared.ledger.revisions import insert_unless_there
from shared.ledger.tables import commit_leases, journals

_PERSON = "a person"
# A store that lost its last seconds gets these journals once more: what was read of it before that
# has to be read again.
_MAY_BE_LOST_MS = 60_000


class Holds:
    """What people and tools that copy workspaces do with holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pause(self, name: WorkspaceName) -> None:
        """Let no group be begun until `resume`; asked again, nothing changes.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
        """
        async with self._database.writing() as connection:
            row = await lock_active_workspace(connection, name)
            await connection.execute(
                insert_unless_there(connection, holds).values(
                    workspace=name,
                    holder=_PERSON,
                    physical=physical_workspace(name, generation=row.generation),
                    stops_commits=True,
                )
            )

    async def resume(self, name: WorkspaceName) -> None:
        """End what `pause` began; a tool's hold stays.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
        """
        async with self._database.writing() as connection:
            await lock_active_workspace(connection, name)
            await end_pause(connection, name)

    async def begin_copy(self, name: WorkspaceName, *, holder: str, ttl_ms: int) -> Hold:
        """Keep the journals of all that is committed from now on, and of the minute before.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
            WorkspaceBusyError: a tool writes into it, of which no journal tells.
        """
        async with self._database.writing() as connection:
            physical = await _lock(connection, name)
            hold = Hold(name, physical, holder, await _last_lasting_seq(connection, physical))
            await _begin(connection, hold, ttl_ms=ttl_ms)
            writers = and_(holds.c.kept_after_seq.is_(None), holds.c.holder != _PERSON)
            await _require_none(connection, hold, writers)
        return hold

    async def begin_writing(self, name: WorkspaceName, *, holder: str, ttl_ms: int) -> Hold:
        """Let no group be begun, and no copy, while a tool writes past the journals.

        Raises:
            WorkspaceNotFoundError: there is none, or it is being deleted.
            WorkspaceBusyError: it is being copied.
        """
        async with self._database.writing() as connection:
            hold = Hold(name, await _lock(connection, name), holder, None)
            await _begin(connection, hold, ttl_ms=ttl_ms)
            await _require_none(connection, hold, holds.c.kept_after_seq.is_not(None))
        return hold

    async def stop_commits(self, hold: Hold) -> bool:
        """Let no group be begun while a copy's hold lives; False: it is over."""
        async with self._database.single() as connection:
            stopped = await connection.execute(
                update(holds).where(_is(hold)).values(stops_commits=True)
            )
        return stopped.rowcount == 1

    async def renew(self, hold: Hold, *, ttl_ms: int) -> bool:
        """Keep a hold; one that ran out is still ours until another begins. False: it is over."""
        async with self._database.single() as connection:
            kept = await connection.execute(
                update(holds).where(_is(hold)).values(until_ms=now_ms() + ttl_ms)
            )
        return kept.rowcount == 1

    async def end(self, hold: Hold) -> None:
        """Let everything go on."""
        async with self._database.single() as connection:
            await connection.execute(delete(holds).where(_is(hold)))


async def end_pause(connection: AsyncConnection, name: WorkspaceName) -> None:
    """Remove a person's pause."""
    await connection.execute(
        delete(holds).where(holds.c.workspace == name, holds.c.holder == _PERSON)
    )


async def _lock(connection: AsyncConnection, name: WorkspaceName) -> PhysicalWorkspace:
    """Let tools begin one after the other, so that each sees the other's hold.

    Raises:
        WorkspaceNotFoundError: there is none, or it is being deleted.
    """
    await connection.execute(
        select(commit_leases.c.workspace).where(commit_leases.c.workspace == name).with_for_update()
    )
    row = await lock_active_workspace(connection, name)
    return physical_workspace(name, generation=row.generation)


async def _begin(connection: AsyncConnection, hold: Hold, *, ttl_ms: int) -> None:
    await connection.execute(delete(holds).where(holds.c.until_ms <= now_ms()))
    await connection.execute(
        insert(holds).values(
            workspace=hold.workspace,
            holder=hold.holder,
            physical=hold.physical,
            until_ms=now_ms() + ttl_ms,
            stops_commits=hold.after_seq is None,
            kept_after_seq=hold.after_seq,
        )
    )


async def _require_none(
    connection: AsyncConnection, hold: Hold, others: ColumnElement[bool]
) -> None:
    found = await connection.execute(
        select(holds.c.holder).where(
            holds.c.workspace == hold.workspace, holds.c.holder != hold.holder, lives(), others
        )
    )
    if found.first() is not None:
        raise WorkspaceBusyError


async def _last_lasting_seq(connection: AsyncConnection, physical: PhysicalWorkspace) -> int:
    """Return the number of the last journal that no store may lose any more."""
    lasting = journals.c.closed_at_ms < now_ms() - _MAY_BE_LOST_MS
    found = await connection.execute(
        select(
            func.coalesce(func.max(journals.c.seq).filter(lasting), func.min(journals.c.seq) - 1, 0)
        ).where(journals.c.physical == physical)
    )
    seq: int = found.scalar_one()
    return seq


def _is(hold: Hold) -> ColumnElement[bool]:
    return and_(holds.c.workspace == hold.workspace, holds.c.holder == hold.holder)
