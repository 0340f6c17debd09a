"""All checks, in an order in which one tells whether the next can be made."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ops.doctor import ledger_checks, neo4j_checks, postgres_checks, program_checks, redis_checks
from ops.doctor.ground import Ground, open_ground
from ops.doctor.repairing import repair
from ops.doctor.report import Finding, Reporter, Status
from ops.doctor.workspace_checks import check_workspace
from ops.settings_in_use import settings_in_use
from shared.errors import AppError
from shared.ids import WorkspaceName
from shared.ledger.records import Workspace
from shared.ledger.workspaces import Workspaces
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings

_PAGE = 100
# Without these nothing can be said of a workspace.
_NEEDED = (
    "doctor.postgres",
    "doctor.pgvector",
    "doctor.redis",
    "doctor.neo4j",
    "doctor.ledger_schema",
)

Check = Callable[[Ground], Awaitable[Finding | Sequence[Finding]]]


@dataclass(frozen=True)
class Named:
    """A check with its code, under which it is skipped or fails as well."""

    code: str
    check: Check


async def check_servers(ground: Ground) -> list[Finding]:
    """Look at the program, the servers and the ledger's tables."""
    found = [program_checks.check_lightrag()]
    if ground.has_servers:
        found += await _after(
            "doctor.postgres",
            ground,
            postgres_checks.check_server,
            [
                Named("doctor.postgres_version", postgres_checks.check_version),
                Named("doctor.pgvector", postgres_checks.check_pgvector),
            ],
        )
        found += await _redis(ground)
    if ground.neo4j is not None:
        version = Named("doctor.neo4j_version", neo4j_checks.check_version)
        found += await _after("doctor.neo4j", ground, neo4j_checks.check_server, [version])
    found += await run(Named("doctor.uploads_folder", program_checks.check_uploads_folder), ground)
    if is_fine(found, "doctor.postgres"):
        found += await run(Named("doctor.ledger_schema", program_checks.check_schema), ground)
    else:
        found.append(Reporter("doctor.ledger_schema").skipped("PostgreSQL does not answer."))
    return found


async def _redis(ground: Ground) -> list[Finding]:
    """Look at the server of the messages, which mostly is that of the rows as well."""
    found: list[Finding] = []
    if ground.redis is not None:
        found += await run(Named("doctor.redis", redis_checks.check_server), ground)
    found += await run(Named("doctor.broker", redis_checks.check_broker), ground)
    client = ground.redis if ground.redis is not None else ground.broker
    assert client is not None  # noqa: S101 - servers are used
    server = "doctor.redis" if ground.redis is not None else "doctor.broker"
    for code, check in redis_checks.CHECKS.items():
        if is_fine(found, server):
            found += await run(Named(code, lambda _, check=check: check(client)), ground)  # type: ignore[misc]
        else:
            found.append(Reporter(code).skipped("Redis does not answer."))
    return found


async def _after(code: str, ground: Ground, first: Check, others: Sequence[Named]) -> list[Finding]:
    """Make further checks only where the first finds its server."""
    found = await run(Named(code, first), ground)
    for other in others:
        if is_fine(found, code):
            found += await run(other, ground)
        else:
            found.append(Reporter(other.code).skipped("The server does not answer."))
    return found


def is_fine(found: Sequence[Finding], code: str) -> bool:
    """Tell whether a check went well, or was not needed."""
    return all(one.status is not Status.ERROR for one in found if one.code == code)


async def run(named: Named, ground: Ground) -> list[Finding]:
    """Make one check; that it cannot be made is a finding of its own."""
    try:
        with translated_store_errors():
            found = await named.check(ground)
    except AppError as error:
        return [Reporter(named.code).error(f"{error.code}: {error.detail}")]
    return [found] if isinstance(found, Finding) else list(found)


async def examine(
    settings: Settings, name: WorkspaceName | None, *, may_repair: bool
) -> tuple[list[Finding], list[str]]:
    """Make all checks.

    Args:
        settings: of the installation.
        name: the workspace to look into; None: all.
        may_repair: whether to mend what is safe, and look again.

    Returns:
        What was found in the end, and what was repaired before.

    Raises:
        SettingsError: they name no stores and no system of theirs runs, or another process has
            the files.
    """
    settings = settings_in_use(settings)
    found = await _examine(settings, name)
    if not may_repair or not any(one.repairable for one in found):
        return found, []
    repairs = await repair(settings, found)
    return await _examine(settings, name), repairs


async def _examine(settings: Settings, name: WorkspaceName | None) -> list[Finding]:
    async with open_ground(settings) as ground:
        found = [Reporter("doctor.settings").ok(_shape(ground)), *await check_servers(ground)]
        if any(not is_fine(found, code) for code in _NEEDED):
            sentence = "See what is wrong above first."
            return [*found, Reporter("doctor.workspaces").skipped(sentence)]
        found += await run(Named("doctor.stale_leases", ledger_checks.check_leases), ground)
        found += await run(Named("doctor.uploads", ledger_checks.check_uploads), ground)
        for workspace in await _workspaces(ground, name):
            found += await check_workspace(ground, workspace)
    return found


async def _workspaces(ground: Ground, name: WorkspaceName | None) -> list[Workspace]:
    """List the active ones.

    Raises:
        WorkspaceNotFoundError: there is none of this name.
    """
    workspaces = Workspaces(ground.ledger)
    if name is not None:
        return [await workspaces.get(name)]
    found: list[Workspace] = []
    cursor: str | None = None
    while True:
        page = await workspaces.page(cursor, limit=_PAGE)
        found += page.rows
        cursor = page.cursor
        if cursor is None:
            return found


def _shape(ground: Ground) -> str:
    names = ground.names
    return f"Settings are complete: {names.kv}, {names.vector}, {names.graph}."
