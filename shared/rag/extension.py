"""pgvector in the database: LightRAG would go on without it until nobody knows what is wrong."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import ExtensionMissingError
from shared.settings_sections import PostgresSettings

_FIND = text("SELECT true FROM pg_extension WHERE extname = 'vector'")
_CREATE = text("CREATE EXTENSION IF NOT EXISTS vector")
# Not allowed; not on the server's disk; no such feature.
_REFUSALS = ("42501", "58P01", "0A000")


async def require_vectors(connection: AsyncConnection, postgres: PostgresSettings) -> None:
    """Make the extension unless it is there.

    Raises:
        ExtensionMissingError: POSTGRES_USER may not; on RDS and Aurora an rds_superuser may.
    """
    if await connection.scalar(_FIND):
        return
    try:
        await connection.execute(_CREATE)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _REFUSALS:
            raise
        sentence = (
            f"The database {postgres.db} lacks the extension pgvector, and {postgres.user} may "
            "not add it; let an administrator (on Aurora: an rds_superuser) run "
            "`CREATE EXTENSION vector` in it."
        )
        raise ExtensionMissingError(sentence) from None
