"""What the ledger knows of commits and leases that did not go on."""

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.errors import EmbeddingMismatchError
from shared.ids import ObjectKey
from shared.ledger import sweeping
from shared.ledger.clock import now_ms
from shared.ledger.records import FINAL_STATES, TaskState, Workspace
from shared.ledger.tables import batches, commit_leases, journals, quarantine, tasks
from shared.rag.models import embedding_name, require_same_embedding

_LEASES = Reporter("doctor.stale_leases")
_UPLOADS = Reporter("doctor.uploads")
# The sweeper looks every two seconds.
_OVERDUE_MS = 60_000
# The cleaner takes those of an hour, and comes every ten minutes.
_ORPHAN_AGE_S = 3 * 3600.0
_PAGE = 200


async def check_leases(ground: Ground) -> Finding:
    """Look for leases of stopped workers that nobody takes up."""
    workers = _overdue(tasks.c.lease_until_ms, tasks.c.state == TaskState.PREPARING)
    parts = _overdue(batches.c.lease_until_ms, ~batches.c.done)
    writers = _overdue(commit_leases.c.lease_until_ms)
    async with ground.ledger.reading() as connection:
        counts = [await connection.scalar(select(one)) or 0 for one in (workers, parts, writers)]
    if not any(counts):
        return _LEASES.ok("No lease is overdue.")
    return _LEASES.warning(
        f"{sum(counts)} leases ran out over a minute ago and nobody took their work up; do worker "
        "and beat run (beat sends the sweeper, which hands such work out again)?"
    )


def _overdue(until: ColumnElement[int], *more: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).where(until < now_ms() - _OVERDUE_MS, *more).scalar_subquery()


async def check_uploads(ground: Ground) -> Finding:
    """Look for tasks that wait for uploads which are gone, and for uploads of nobody."""
    wanted = await _wanted_uploads(ground)
    async for key in ground.objects.older_than(0):
        wanted.discard(key)
    if wanted:
        return _UPLOADS.error(
            f"{len(wanted)} uploads that tasks wait for are not in the store of uploads; do all "
            "processes have the same DATA_DIR? Otherwise insert those documents again."
        )
    if orphans := await _orphans(ground):
        return _UPLOADS.warning(
            f"{orphans} uploads belong to no task; the cleaner removes such after an hour: does "
            "beat run?"
        )
    return _UPLOADS.ok("Every upload that a task waits for is there.")


async def _wanted_uploads(ground: Ground) -> set[ObjectKey]:
    statement = select(tasks.c.object_key).where(
        tasks.c.object_key.is_not(None), tasks.c.state.not_in([*FINAL_STATES])
    )
    async with ground.ledger.reading() as connection:
        return {ObjectKey(key) for key in (await connection.execute(statement)).scalars()}


async def _orphans(ground: Ground) -> int:
    count, page = 0, []
    async for key in ground.objects.older_than(_ORPHAN_AGE_S):
        page.append(key)
        if len(page) == _PAGE:
            count, page = count + await _unreferenced(ground, page), []
    return count + await _unreferenced(ground, page)


async def _unreferenced(ground: Ground, keys: list[ObjectKey]) -> int:
    async with ground.ledger.reading() as connection:
        return len(keys) - len(await sweeping.referenced_objects(connection, keys))


async def check_journals(ground: Ground, workspace: Workspace) -> Finding:
    """Look for a commit that is written down, and that nobody applies."""
    reporter = Reporter("doctor.journals", workspace.name)
    overdue = select(journals.c.seq).where(
        journals.c.physical == workspace.physical,
        journals.c.closed_at_ms.is_(None),
        journals.c.written_at_ms < now_ms() - _OVERDUE_MS,
        ~exists().where(
            commit_leases.c.workspace == workspace.name,
            commit_leases.c.lease_until_ms > now_ms(),
        ),
    )
    async with ground.ledger.reading() as connection:
        seq = await connection.scalar(overdue)
    if seq is not None:
        return reporter.error(
            f"Commit {seq} is written down, perhaps half applied, and nobody is at it; a worker "
            "applies it as soon as one runs.",
            repairable=True,
        )
    return reporter.ok("No commit was left half applied.")


async def check_quarantine(ground: Ground, workspace: Workspace) -> Finding:
    """Look for records that no store took."""
    reporter = Reporter("doctor.quarantine", workspace.name)
    statement = (
        select(quarantine.c.seq, quarantine.c.reason, func.count().over())
        .where(quarantine.c.physical == workspace.physical)
        .limit(1)
    )
    async with ground.ledger.reading() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return reporter.ok("The stores took every record.")
    seq, reason, count = row
    return reporter.warning(
        f"No store took {count} records, the first in commit {seq} ({reason.split(':')[0]}); "
        "they are kept in the ledger's table `quarantine`."
    )


async def check_embedding(ground: Ground, workspace: Workspace) -> Finding:
    """Compare the model that a workspace was filled with, and ours."""
    reporter = Reporter("doctor.embedding", workspace.name)
    settings = ground.settings
    if workspace.embedding_model is None:
        return reporter.ok("Nothing was embedded yet.")
    try:
        require_same_embedding(workspace, settings)
    except EmbeddingMismatchError:
        return reporter.error(
            f"It was filled with {workspace.embedding_dim} numbers of {workspace.embedding_model}, "
            f"settings say {settings.embedding.dim} of {embedding_name(settings)}; set "
            "EMBEDDING_MODEL and EMBEDDING_DIM back."
        )
    return reporter.ok(f"{workspace.embedding_dim} numbers of {workspace.embedding_model}.")
