"""Connections of our own to Neo4j, beside those that LightRAG opens for itself."""

import asyncio
import ssl
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.settings import Settings
from shared.settings_sections import Neo4jSettings

if TYPE_CHECKING:
    from neo4j import AsyncDriver

_PORT = 7687  # Neo4j's own
# As long as the ledger's: whoever waits for the server still listens.
_CONNECT_TIMEOUT_S = 3
# A free connection of the pool, or a new one from a busy server.
_ACQUISITION_TIMEOUT_S = 10
# Deadlocks and changes of leader are tried again this long; below the shortest lease (20 s).
_RETRY_TIME_S = 15
# Load balancers drop idle connections after some minutes; asking first costs a round trip.
_LIFETIME_S = 300
_LIVENESS_CHECK_S = 30
# A process writes one group a workspace at a time, and few workspaces at once.
_CONNECTIONS = 16


def open_driver(settings: Settings) -> "AsyncDriver":
    """Open a driver for NEO4J_URI; it connects when first used, the caller closes it.

    Statements name their database: `database_=settings.neo4j.database`.
    """
    from neo4j import AsyncGraphDatabase  # noqa: PLC0415 - 60 MB that only a Neo4j shape should pay

    neo4j = settings.neo4j
    uri, options = address_of(neo4j)
    return AsyncGraphDatabase.driver(
        uri,
        **options,
        auth=(neo4j.username, neo4j.password.get_secret_value()),
        user_agent=f"lightrag-fleet/{version('lightrag-fleet')}",
        connection_timeout=_CONNECT_TIMEOUT_S,
        connection_acquisition_timeout=_ACQUISITION_TIMEOUT_S,
        max_transaction_retry_time=_RETRY_TIME_S,
        max_connection_lifetime=_LIFETIME_S,
        liveness_check_timeout=_LIVENESS_CHECK_S,
        max_connection_pool_size=_CONNECTIONS,
        keep_alive=True,
        # Notices about labels that are not there yet would fill the log.
        notifications_min_severity="OFF",
    )


def address_of(neo4j: Neo4jSettings) -> tuple[str, dict[str, Any]]:
    """Return the URI for a driver, and its options that say whom to trust.

    A URI with +s trusts whom the machine trusts, and allows no other word about it. So with
    authorities of our own it is said in the options alone.
    """
    scheme, mark, rest = neo4j.uri.partition("+s://")
    if not (mark and neo4j.ssl_ca_certs):
        return neo4j.uri, {}
    return f"{scheme}://{rest}", {"ssl_context": _context(neo4j)}


def _context(neo4j: Neo4jSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if neo4j.ssl_ca_certs:
        context.load_verify_locations(cafile=neo4j.ssl_ca_certs)
    return context


async def require_trusted(neo4j: Neo4jSettings) -> None:
    """Meet the server without its driver, which forgets why it could not find a route.

    Raises:
        OSError: it cannot be reached, or (ssl.SSLError) not be trusted.
    """
    parts = urlsplit(neo4j.uri)
    if not parts.scheme.endswith("+s"):
        return
    async with asyncio.timeout(_CONNECT_TIMEOUT_S):
        _, writer = await asyncio.open_connection(
            parts.hostname, parts.port or _PORT, ssl=_context(neo4j)
        )
        writer.close()
        await writer.wait_closed()
