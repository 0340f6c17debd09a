"""LightRAG's key-value rows in Redis or Valkey, written by one script that looks at the fence."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from lightrag import LightRAG
from redis.exceptions import ResponseError

from worker.commit.apply.store import FencedOffError
from worker.commit.operations import Kind, Operation

if TYPE_CHECKING:
    from redis.asyncio import Redis

# `appendfsync everysec` takes a second, a busy disk a few; it is no error when it takes longer.
_FSYNC_TIMEOUT_MS = 3000
# One script: nobody can come between the comparison and the writes.
_WRITE = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
  if ARGV[i] == '' then redis.call('DEL', KEYS[i]) else redis.call('SET', KEYS[i], ARGV[i]) end
end
return 1
"""
_RAISE = """
local held = tonumber(redis.call('HGET', KEYS[1], 'token') or '0')
if held > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1])
return 1
"""
# A write, so that there is something to wait for: the server waits for what a connection wrote, and
# all that was written before it.
_SYNC = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1])
return 1
"""
_FINISH = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'seq', ARGV[2])
return 1
"""


class RedisStore:
    """The rows of one workspace, in the layout of LightRAG's RedisKVStorage."""

    name = "redis"

    def __init__(self, rag: LightRAG, *, token: int) -> None:
        self._rag = rag
        self._token = str(token)
        self._syncing: asyncio.Task[None] | None = None
        self._fence = f"ragfleet:fence:{rag.workspace}"
        self._redis: Redis = rag.full_docs._redis  # noqa: SLF001 - pinned internals

    async def raise_fence(self) -> None:
        """Let nobody with a lower token write."""
        await self._run(_RAISE, [], [])

    async def applied_seq(self) -> int:
        """Return the number of the last journal that is here whole."""
        return int(await self._redis.hget(self._fence, "seq") or 0)

    async def apply(self, operation: Operation) -> None:
        """Set or delete some rows."""
        if operation.kind is Kind.PUT_ROWS:
            keys = [key for key, _ in operation.rows]
            values = [json.dumps(_row(operation.storage, *row)) for row in operation.rows]
        else:
            keys, values = operation.rows, [""] * len(operation.rows)
        namespace = getattr(self._rag, operation.storage).final_namespace
        await self._run(_WRITE, [f"{namespace}:{key}" for key in keys], values)

    def filling(self) -> AbstractAsyncContextManager[None]:
        """Nothing to do: all that is here is written at once."""
        return nullcontext()

    def begin_sync(self) -> None:
        """Let the server write to its disk, which takes up to a second."""
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._sync())
            # Looked at, or asyncio would log what failed where a journal was given up meanwhile.
            self._syncing.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    async def finish(self, seq: int) -> None:
        """Note the journal's number; what was written before is on the disk by then.

        The number itself may be lost with the last second, and so what was removed just before it:
        then the journal is applied once more.
        """
        if self._syncing is not None:
            syncing, self._syncing = self._syncing, None
            await syncing
        await self._run(_FINISH, [], [str(seq)])

    async def _sync(self) -> None:
        async with self._redis.client() as connection:
            if await connection.eval(_SYNC, 1, self._fence, self._token) != 1:
                raise FencedOffError
            # A server that cannot wait (older than 7.2, or without an append-only file) may lose
            # its last second; the journals that are kept bring it back.
            with suppress(ResponseError):
                await connection.waitaof(1, 0, _FSYNC_TIMEOUT_MS)

    async def _run(self, script: str, keys: list[str], values: list[str]) -> None:
        arguments: list[Any] = [self._fence, *keys, self._token, *values]
        done = await self._redis.eval(script, 1 + len(keys), *arguments)
        if done != 1:
            raise FencedOffError


def _row(storage: str, key: str, row: dict[str, Any]) -> dict[str, Any]:
    if storage == "text_chunks":
        row.setdefault("llm_cache_list", [])
    return {**row, "_id": key}
