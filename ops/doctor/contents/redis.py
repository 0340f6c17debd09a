"""Ids of LightRAG's rows in Redis."""

import json
from collections.abc import AsyncIterator, Iterable

from lightrag import LightRAG
from redis.asyncio import Redis

from ops.doctor.contents.inventory import Inventory

_PAGE = 500


async def read_redis(
    client: Redis, rag: LightRAG, storages: Iterable[str], inventory: Inventory
) -> None:
    """Read the ids of some storages, and of which document each chunk is."""
    for name in storages:
        prefix = f"{getattr(rag, name).final_namespace}:"
        async for keys in _pages(client, prefix):
            ids = [key.removeprefix(prefix) for key in keys]
            if name != "text_chunks":
                inventory.add_rows(name, ids)
                continue
            rows = await client.mget(keys)
            found = zip(ids, rows, strict=True)
            inventory.add_chunks((key, _document_of(row)) for key, row in found if row is not None)


def _document_of(row: bytes | str) -> str:
    return str(json.loads(row).get("full_doc_id") or "")


async def _pages(client: Redis, prefix: str) -> AsyncIterator[list[str]]:
    page: list[str] = []
    async for key in client.scan_iter(f"{prefix}*", count=_PAGE):
        page.append(key)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
