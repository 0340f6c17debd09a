"""What `ragfleet repair duplicates` does: merge doubled entities while nothing else is written."""

import asyncio
from collections.abc import Callable

from ops.leasing import new_holder, nothing_committed, under_lease
from shared.connections import ledger_url
from shared.errors import SettingsError, WorkspaceBusyError
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease
from shared.rag.neo4j_constraint import ensure_unique_entities
from shared.rag.neo4j_driver import open_driver
from shared.rag.neo4j_repair import Repaired, merge_duplicates
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings
from shared.startup import require_servers
from worker.commit.apply.neo4j import Neo4jStore
from worker.leased import LeaseLostError

# A graph of millions; longer than this something hangs.
_TIMEOUT_S = 12 * 3600.0


async def repair_duplicates(
    settings: Settings, name: WorkspaceName, *, say: Callable[[str], None]
) -> Repaired:
    """Leave every entity and relation of one workspace once, under a uniqueness constraint.

    Raises:
        SettingsError: no servers are named, or the graph is not in Neo4j.
        WorkspaceNotFoundError: there is no such workspace.
        WorkspaceBusyError: something else is writing into it, or took the right to.
    """
    require_servers(settings)
    if not settings.graph_in_neo4j:
        sentence = "GRAPH_STORAGE is not Neo4JStorage; only that graph can hold entities twice."
        raise SettingsError(sentence)
    ledger = await Ledger.open(ledger_url(settings), pool_size=2)
    try:
        await ledger.workspaces.get(name)
        done = await _under_lease(settings, ledger, name)
    finally:
        await ledger.close()
    say(
        f"Workspace {name}: {done.entities} entities were there more than once; removed "
        f"{done.nodes_removed} nodes and {done.relations_removed} relations. "
        "From now on Neo4j refuses doubles."
    )
    return done


async def _under_lease(settings: Settings, ledger: Ledger, name: WorkspaceName) -> Repaired:
    holder, lease_ms = new_holder("repair"), int(settings.limits.task_lease_s * 1000)
    async with nothing_committed(ledger, name, holder=holder, lease_ms=lease_ms) as hold:
        lease = await ledger.workspaces.take_commit_lease(name, holder=holder, ttl_ms=lease_ms)
        if lease is None:
            raise WorkspaceBusyError
        work = _repair(settings, lease)
        try:
            return await under_lease(
                work, ledger, lease, hold, lease_ms=lease_ms, timeout_s=_TIMEOUT_S
            )
        except LeaseLostError:
            sentence = "Another writer took the workspace over; run the repair again."
            raise WorkspaceBusyError(sentence) from None
        finally:
            await asyncio.shield(ledger.workspaces.release_commit_lease(lease))


async def _repair(settings: Settings, lease: CommitLease) -> Repaired:
    database = settings.neo4j.database
    with translated_store_errors():
        async with open_driver(settings) as driver:
            graph = Neo4jStore(
                driver,
                database=database,
                workspace=lease.physical,
                token=lease.token,
                timeout_s=settings.limits.task_lease_s / 2,
            )
            # A committer that was stopped may wake up in the middle: it must not write any more.
            await graph.raise_fence()
            done = await merge_duplicates(driver, database, lease.physical)
        await ensure_unique_entities(settings, lease.physical)
    return done
