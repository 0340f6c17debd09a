"""What the checks look at: an installation's settings and connections that only read."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from ops.only_process import only_process
from shared.connections import broker_url, ledger_url, redis_url
from shared.ledger.engine import Database
from shared.objects.base import ObjectStore
from shared.objects.factory import open_objects
from shared.rag.engine import StorageNames, storage_names
from shared.rag.neo4j_driver import open_driver
from shared.settings import Settings
from shared.startup import storage_shape

if TYPE_CHECKING:
    from neo4j import AsyncDriver

_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Ground:
    """Connections to everything that settings name; None: it is not used."""

    settings: Settings
    names: StorageNames
    ledger: Database
    broker: Redis | None
    redis: Redis | None
    """LightRAG's rows; None as well where they are in PostgreSQL."""
    neo4j: "AsyncDriver | None"
    objects: ObjectStore

    @property
    def has_servers(self) -> bool:
        """Whether the stores are servers, not files."""
        return storage_shape(self.settings) == "servers"


@asynccontextmanager
async def open_ground(settings: Settings, *, is_alone: bool = False) -> AsyncIterator[Ground]:
    """Prepare connections; nothing is connected yet, so a server may be away.

    Args:
        settings: of the installation.
        is_alone: whether this process has the files, where there are files, for itself already.

    Raises:
        SettingsError: files are kept here, and another process has them.
    """
    names = storage_names(settings)
    async with AsyncExitStack() as stack:
        has_servers = storage_shape(settings) == "servers"
        if not has_servers and not is_alone:
            stack.enter_context(only_process(settings.storage.data_dir))
        ledger = Database(ledger_url(settings), pool_size=2)
        stack.push_async_callback(ledger.close)
        neo4j = None
        if settings.graph_in_neo4j:
            neo4j = await stack.enter_async_context(open_driver(settings))
        rows = names.kv == "RedisKVStorage"
        yield Ground(
            settings=settings,
            names=names,
            ledger=ledger,
            broker=_redis(broker_url(settings), stack) if has_servers else None,
            redis=_redis(redis_url(settings.redis), stack) if rows else None,
            neo4j=neo4j,
            objects=open_objects(settings),
        )


def _redis(url: str, stack: AsyncExitStack) -> Redis:
    client = Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        client_name="ragfleet-doctor",
        decode_responses=True,
    )
    stack.push_async_callback(client.aclose)
    return client
