"""Is everything there? One small question to every server, all at once, each with a deadline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from shared.connections import redis_url
from shared.contract.names import QueueName
from shared.contract.sender import Sender
from shared.errors import AppError
from shared.ledger.ledger import Ledger
from shared.logs import get_logger
from shared.objects.base import ObjectStore
from shared.rag.engine import storage_names
from shared.rag.neo4j_driver import address_of
from shared.rag.store_errors import translated_store_errors
from shared.settings import Settings

logger = get_logger(__name__)

Probe = Callable[[], Awaitable[object]]

# A load balancer asks every few seconds and itself waits about five.
_TIMEOUT_S = 2.0
_OPTIONAL = frozenset({"broker"})
"""What may be down while documents are accepted and questions answered."""


@dataclass(frozen=True)
class ProbeResult:
    """What one server answered; `error_code` is None when all is well."""

    error_code: str | None
    needed: bool


async def run_probes(
    probes: Mapping[str, Probe], *, timeout_s: float = _TIMEOUT_S
) -> dict[str, ProbeResult]:
    """Ask all at once; takes no longer than `timeout_s` seconds."""
    codes = await asyncio.gather(*(_error_code(name, probes[name], timeout_s) for name in probes))
    return {
        name: ProbeResult(error_code=code, needed=name not in _OPTIONAL)
        for name, code in zip(probes, codes, strict=True)
    }


@asynccontextmanager
async def open_probes(
    settings: Settings, *, ledger: Ledger, objects: ObjectStore, sender: Sender
) -> AsyncIterator[dict[str, Probe]]:
    """Give a probe for each server by name; they keep their connections until the block ends."""

    async def broker() -> None:
        await sender.depth(QueueName.PREPARE)

    async with AsyncExitStack() as stack:
        stores = _store_probes(settings, ledger, stack)
        yield {"ledger": ledger.ping, "uploads": objects.ping, "broker": broker, **stores}


def _store_probes(settings: Settings, ledger: Ledger, stack: AsyncExitStack) -> dict[str, Probe]:
    """Probe LightRAG's stores; those in PostgreSQL share the ledger's server and database."""
    names = storage_names(settings)
    return {
        "key_value": _redis_probe(settings, stack) if names.kv.startswith("Redis") else ledger.ping,
        "vectors": ledger.ping,
        "graph": _neo4j_probe(settings, stack) if names.graph.startswith("Neo4J") else ledger.ping,
    }


def _redis_probe(settings: Settings, stack: AsyncExitStack) -> Probe:
    client = Redis.from_url(
        redis_url(settings.redis),
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        client_name="api-probe",
    )
    stack.push_async_callback(client.aclose)

    async def probe() -> None:
        with translated_store_errors():
            await client.ping()

    return probe


def _neo4j_probe(settings: Settings, stack: AsyncExitStack) -> Probe:
    from neo4j import AsyncGraphDatabase  # noqa: PLC0415 - 60 MB that only a Neo4j shape should pay

    neo4j = settings.neo4j
    uri, options = address_of(neo4j)
    driver = AsyncGraphDatabase.driver(
        uri,
        **options,
        auth=(neo4j.username, neo4j.password.get_secret_value()),
        connection_timeout=_TIMEOUT_S,
        max_connection_pool_size=2,  # probes never overlap by more than one
    )
    stack.push_async_callback(driver.close)

    async def probe() -> None:
        with translated_store_errors():
            await driver.execute_query("RETURN 1", database_=neo4j.database)

    return probe


async def _error_code(name: str, probe: Probe, timeout_s: float) -> str | None:
    try:
        async with asyncio.timeout(timeout_s):
            await probe()
    except TimeoutError:
        return "no_answer"
    except AppError as error:
        return error.code
    except Exception:
        logger.warning("probe_failed", probe=name, exc_info=True)
        return "probe_failed"
    return None
