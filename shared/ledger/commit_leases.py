"""The right to write one workspace: taken, kept, given back and checked with a growing token."""

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import WorkspaceName, physical_workspace
from shared.ledger.claims import is_due
from shared.ledger.clock import now_ms
from shared.ledger.hold_rows import is_paused
from shared.ledger.records import CommitLease, TaskKind, TaskState
from shared.ledger.rows import NO_LEASE, is_in
from shared.ledger.tables import commit_leases, tasks, workspaces

# Made once: naming the columns of an alias takes milliseconds.
_started = tasks.alias("started")


async def take(
    connection: AsyncConnection, name: WorkspaceName, *, holder: str, ttl_ms: int
) -> CommitLease | None:
    """Take a free or expired lease under a higher token; None: it is held, or nothing is there."""
    is_there = exists().where(workspaces.c.name == name, workspaces.c.state != "dropped")
    taken = await connection.execute(
        update(commit_leases)
        .where(commit_leases.c.workspace == name, _is_free(), is_there)
        .values(
            lease_holder=holder,
            lease_token=commit_leases.c.lease_token + 1,
            lease_until_ms=now_ms() + ttl_ms,
        )
        .returning(commit_leases.c.lease_token)
    )
    token = taken.scalar_one_or_none()
    if token is None:
        return None
    # Read after the lease is ours: only its holder can finish a drop and change the generation.
    found = await connection.execute(
        select(workspaces.c.generation).where(workspaces.c.name == name)
    )
    physical = physical_workspace(name, generation=found.scalar_one())
    return CommitLease(workspace=name, physical=physical, holder=holder, token=token)


async def renew(connection: AsyncConnection, lease: CommitLease, *, ttl_ms: int) -> bool:
    """Keep a lease; an expired one that nobody took is still ours."""
    kept = await connection.execute(
        update(commit_leases).where(_is_held(lease)).values(lease_until_ms=now_ms() + ttl_ms)
    )
    return kept.rowcount == 1


async def release(connection: AsyncConnection, lease: CommitLease) -> None:
    """Give a lease back and go to the end of the line."""
    await connection.execute(
        update(commit_leases).where(_is_held(lease)).values(**NO_LEASE, last_commit_at_ms=now_ms())
    )


async def is_held(connection: AsyncConnection, lease: CommitLease) -> bool:
    """Tell whether a lease is still its holder's at this moment."""
    statement = select(commit_leases.c.workspace).where(_is_held(lease))
    return (await connection.execute(statement)).one_or_none() is not None


async def hold(connection: AsyncConnection, lease: CommitLease) -> bool:
    """Check a lease and keep others from taking it until this transaction ends.

    The heartbeat is not kept waiting: a renewal changes no key, a take does.
    """
    statement = (
        select(commit_leases.c.workspace)
        .where(_is_held(lease))
        .with_for_update(read=True, key_share=True)
    )
    return (await connection.execute(statement)).one_or_none() is not None


async def is_taken(connection: AsyncConnection, name: WorkspaceName) -> bool:
    """Tell whether anybody holds the lease of a workspace at this moment."""
    return (await connection.execute(_IS_TAKEN, {"name": name})).one_or_none() is not None


def is_lease_alive(workspace: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that somebody holds the lease of a workspace."""
    return exists().where(commit_leases.c.workspace == workspace, ~_is_free())


async def awaiting_commit(
    connection: AsyncConnection, *, limit: int, only: WorkspaceName | None = None
) -> list[WorkspaceName]:
    """List workspaces that have something to commit and nobody at it, longest waiting first."""
    its_tasks = tasks.c.workspace == commit_leases.c.workspace
    ready = exists().where(
        its_tasks,
        is_in(TaskState.READY),
        is_due(tasks.c.next_attempt_at_ms),
        ~waits_for_another(),
    )
    left_behind = exists().where(
        its_tasks, is_in(TaskState.COMMITTING), is_due(tasks.c.next_attempt_at_ms)
    )
    statement = (
        select(commit_leases.c.workspace)
        .where(_is_free(), or_(ready, left_behind), ~is_paused(commit_leases.c.workspace))
        .order_by(commit_leases.c.last_commit_at_ms, commit_leases.c.workspace)
        .limit(limit)
    )
    if only is not None:
        statement = statement.where(commit_leases.c.workspace == only)
    return [WorkspaceName(name) for name in (await connection.execute(statement)).scalars()]


def waits_for_another() -> ColumnElement[bool]:
    """Return the condition that a ready task cannot be gathered before a started one has ended.

    A newer revision waits for the older one that is half in the graph, the removal of a workspace
    for whatever was begun in it.
    """
    return (
        exists()
        .where(
            _started.c.workspace == tasks.c.workspace,
            is_in(TaskState.COMMITTING, _started),
            or_(
                _started.c.doc_id == tasks.c.doc_id,
                tasks.c.kind == TaskKind.DROP_WORKSPACE,
            ),
        )
        .correlate(tasks)
    )


def _is_free() -> ColumnElement[bool]:
    return func.coalesce(commit_leases.c.lease_until_ms, 0) <= now_ms()


def _is_held(lease: CommitLease) -> ColumnElement[bool]:
    return and_(
        commit_leases.c.workspace == lease.workspace,
        commit_leases.c.lease_token == lease.token,
        commit_leases.c.lease_until_ms.is_not(None),
    )


# Asked for every document, and made once: making it takes longer than asking.
_IS_TAKEN = select(commit_leases.c.workspace).where(
    commit_leases.c.workspace == bindparam("name"), ~_is_free()
)
