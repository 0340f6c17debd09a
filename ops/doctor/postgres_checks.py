"""The PostgreSQL of ledger, vectors and document status: is it there, and new enough?"""

from sqlalchemy import text

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.errors import LedgerRefusedError, LedgerUnavailableError

_SERVER = Reporter("doctor.postgres")
_VERSION = Reporter("doctor.postgres_version")
_PGVECTOR = Reporter("doctor.pgvector")
# The oldest that pgvector with HNSW indexes is made for.
_OLDEST = 13
# HNSW, and indexes over halves of numbers, which more than 2,000 dimensions need.
_OLDEST_PGVECTOR = (0, 5, 0)
_OLDEST_PGVECTOR_HALVES = (0, 7, 0)
_LARGEST_WHOLE = 2000


async def check_server(ground: Ground) -> Finding:
    """Ask whether it lets us in."""
    try:
        async with ground.ledger.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except LedgerRefusedError:
        return _SERVER.error(
            "PostgreSQL does not let us in; check POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB "
            "and POSTGRES_SSLMODE."
        )
    except LedgerUnavailableError:
        return _SERVER.error(
            "PostgreSQL is not reachable; start it, or look at POSTGRES_HOST and POSTGRES_PORT."
        )
    return _SERVER.ok("PostgreSQL answers.")


async def check_version(ground: Ground) -> Finding:
    """Compare its version with the oldest that works."""
    async with ground.ledger.reading() as connection:
        number = int(await connection.scalar(text("SHOW server_version_num")))
    found = number // 10_000
    if found < _OLDEST:
        return _VERSION.error(f"PostgreSQL {found} is too old; use {_OLDEST} or newer.")
    return _VERSION.ok(f"PostgreSQL {found}.{number % 10_000}.")


async def check_pgvector(ground: Ground) -> Finding:
    """Look for the extension, and whether it can index vectors as long as ours."""
    statement = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    async with ground.ledger.reading() as connection:
        found = await connection.scalar(statement)
    if found is None:
        return _PGVECTOR.error(
            "The extension pgvector is not in this database; run `CREATE EXTENSION vector` in it "
            "as a user who may."
        )
    dimension = ground.settings.embedding.dim
    oldest = _OLDEST_PGVECTOR if dimension <= _LARGEST_WHOLE else _OLDEST_PGVECTOR_HALVES
    if _numbers(found) < oldest:
        wanted = ".".join(map(str, oldest))
        return _PGVECTOR.error(
            f"pgvector {found} cannot index vectors of EMBEDDING_DIM={dimension}; update it to "
            f"{wanted} or newer (`ALTER EXTENSION vector UPDATE`)."
        )
    return _PGVECTOR.ok(f"pgvector {found}.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
