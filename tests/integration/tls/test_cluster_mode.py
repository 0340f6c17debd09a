"""A Redis in cluster mode is refused before anything is written, not in the middle."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from ops.local.ports import free_port
from ops.local.valkey import EmbeddedValkey
from shared.errors import RedisClusterError
from shared.ids import DEFAULT_WORKSPACE
from tests.integration.migrate.conftest import opened
from tests.services import run, start


class ClusteredValkey(EmbeddedValkey):
    """One server that has all slots: what ElastiCache Serverless looks like to its clients."""

    def prepare(self) -> None:
        super().prepare()
        with self._configuration.open("a") as file:
            file.write("cluster-enabled yes\ncluster-require-full-coverage no\n")


# Ten thousand above its own port is the one of its bus.
_HIGHEST_PORT = 55_535


def _port_for_a_cluster() -> int:
    return next(port for port in iter(free_port, None) if port <= _HIGHEST_PORT)


@pytest.fixture
def clustered(open_folder: Path) -> Iterator[ClusteredValkey]:
    server = ClusteredValkey(open_folder, _port_for_a_cluster(), password=secrets.token_hex(8))
    child = run(start(server))
    yield server
    run(child.stop())


async def test_it_is_refused_with_what_to_use_instead(
    clustered: ClusteredValkey, tls_variables: dict[str, str], own_environment: None
) -> None:
    async with Redis.from_url(clustered.url()) as redis:
        await redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        with pytest.raises(ResponseError, match="slot"):  # why it has to be
            await redis.eval("return 1", 2, "ragfleet:fence:w", "w_full_docs:d")
    variables = tls_variables | {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(clustered.port),
        "REDIS_PASSWORD": clustered.password,
        "REDIS_SSL": "false",
    }
    with pytest.raises(RedisClusterError, match="cluster mode disabled") as refused:
        async with opened(variables, DEFAULT_WORKSPACE):
            pass
    assert clustered.password not in refused.value.detail
