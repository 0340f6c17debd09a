"""The store of LightRAG's key-value rows, where no server is needed to see what it does."""

import asyncio
import gc
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.commit.apply.redis import RedisStore

if TYPE_CHECKING:
    from lightrag import LightRAG


class GoneRedis:
    """A client whose server has just gone away."""

    async def eval(self, *_arguments: object) -> None:
        raise RedisConnectionError

    def client(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


def store_without_server() -> RedisStore:
    rag = SimpleNamespace(workspace="w", full_docs=SimpleNamespace(_redis=GoneRedis()))
    return RedisStore(cast("LightRAG", rag), token=1)


async def test_a_sync_that_nobody_waits_for_any_more_leaves_no_riddle_in_the_log() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    store = store_without_server()
    store.begin_sync()  # then another store fails, and `finish` is never called
    await asyncio.sleep(0.01)
    del store
    gc.collect()
    assert told == []


async def test_a_sync_that_failed_is_told_where_it_is_waited_for() -> None:
    store = store_without_server()
    store.begin_sync()
    with pytest.raises(RedisConnectionError):
        await store.finish(1)
