"""Does every store hold the commits that the ledger says it holds?"""

import asyncio
from pathlib import Path

from sqlalchemy import select

from ops.doctor.contents.comparing import position_of
from ops.doctor.ground import Ground
from ops.doctor.neo4j_checks import driver_of
from ops.doctor.report import Finding, Reporter
from shared.ids import PhysicalWorkspace
from shared.ledger.records import Workspace
from shared.ledger.tables import applied_journals

_OF_NEO4J = "MATCH (f:RagfleetFence {workspace: $workspace}) RETURN f.seq"


async def check_positions(ground: Ground, workspace: Workspace) -> Finding:
    """Compare the numbers of the last commits; one may be made meanwhile."""
    reporter = Reporter("doctor.store_position", workspace.name)
    physical = workspace.physical
    oldest = (await position_of(ground, physical)).closed
    held = await _held(ground, physical)
    latest = await position_of(ground, physical)
    newest = latest.closed if latest.open is None else latest.open
    ahead = [store for store, seq in held.items() if seq > newest]
    if ahead:
        return reporter.error(
            f"{', '.join(ahead)} holds commits after {newest}, which is the ledger's last; restore "
            "both from the same backup."
        )
    behind = [f"{store} ends at {seq}" for store, seq in held.items() if seq < oldest]
    if behind:
        return reporter.error(
            f"The ledger's last commit is {oldest}, but {', '.join(behind)}; a worker writes what "
            "is missing as long as its journals are kept (JOURNAL_RETENTION_S). Otherwise restore "
            "that store.",
            repairable=True,
        )
    return reporter.ok(f"Every store holds all commits, the last is {oldest}.")


async def _held(ground: Ground, physical: PhysicalWorkspace) -> dict[str, int]:
    if not ground.has_servers:
        marker = Path(ground.settings.storage.data_dir) / "rag" / physical / "applied_journal"
        return {"The folder": await asyncio.to_thread(_number_in, marker)}
    statement = select(applied_journals.c.seq).where(applied_journals.c.physical == physical)
    async with ground.ledger.reading() as connection:
        held = {"PostgreSQL": await connection.scalar(statement) or 0}
    if ground.redis is not None:
        held["Redis"] = int(await ground.redis.hget(f"ragfleet:fence:{physical}", "seq") or 0)
    if ground.neo4j is not None:
        found = await driver_of(ground).execute_query(
            _OF_NEO4J, workspace=physical, database_=ground.settings.neo4j.database
        )
        held["Neo4j"] = found.records[0][0] if found.records else 0
    return held


def _number_in(marker: Path) -> int:
    return int(marker.read_text()) if marker.exists() else 0
