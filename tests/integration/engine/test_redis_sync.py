"""Before a journal is closed, Redis has on its disk what was written of it."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from redis.asyncio import Redis

from worker.commit.apply import redis as redis_store
from worker.commit.apply.redis import RedisStore

if TYPE_CHECKING:
    from lightrag import LightRAG


async def test_a_sync_waits_for_what_another_connection_has_written(
    fresh_valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies: list[Any] = []
    wait = Redis.waitaof

    async def noticed(client: Any, *arguments: Any) -> Any:
        replies.append(await wait(client, *arguments))
        return replies[-1]

    monkeypatch.setattr(Redis, "waitaof", noticed)
    monkeypatch.setattr(redis_store, "_FSYNC_TIMEOUT_MS", 1000)
    async with Redis.from_url(fresh_valkey) as writer, Redis.from_url(fresh_valkey) as syncer:
        rag = SimpleNamespace(workspace="w", full_docs=SimpleNamespace(_redis=syncer))
        store = RedisStore(cast("LightRAG", rag), token=1)
        await store.raise_fence()
        store.begin_sync()
        await store.finish(1)  # everything is on the disk
        before = await writer.config_get("appendfsync")
        try:
            await writer.config_set("appendfsync", "no")
            await writer.set("row", "value")
            store.begin_sync()
            await store.finish(2)
        finally:
            await writer.config_set("appendfsync", before["appendfsync"])
    assert [synced for synced, _replicas in replies] == [1, 0]
