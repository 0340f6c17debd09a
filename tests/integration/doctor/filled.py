"""Installations with documents in them: filled once, copied for every test that spoils one."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from ops.doctor.report import Finding
from ops.doctor.running import examine
from shared.ids import DEFAULT_WORKSPACE
from shared.settings import load_settings
from tests.integration.engine.shapes import open_fleet
from tests.integration.worker.fleet import LARGE, SMALL
from tests.services import make_database

VECTORS = "lightrag_vdb_{}_hash_384d"


@dataclass(frozen=True)
class Copied:
    """A copy of a filled installation, to be spoilt."""

    variables: Mapping[str, str]
    database: str
    valkey: str

    async def sql(self, *statements: str) -> None:
        """Change something in PostgreSQL."""
        connection = await asyncpg.connect(self.database.replace("+asyncpg", ""))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def forget_row(self, storage: str, key: str) -> None:
        """Remove a row of a key-value storage."""
        async with Redis.from_url(self.valkey) as client:
            assert await client.delete(f"{DEFAULT_WORKSPACE}_{storage}:{key}") == 1

    async def set_seq(self, seq: int) -> None:
        """Change the number of the last commit in Redis."""
        async with Redis.from_url(self.valkey) as client:
            await client.hset(f"ragfleet:fence:{DEFAULT_WORKSPACE}", "seq", str(seq))

    async def vectors(self) -> set[tuple[Any, ...]]:
        """All vectors with what they are of, without times."""
        connection = await asyncpg.connect(self.database.replace("+asyncpg", ""))
        try:
            return {
                (table, *(str(value) for name, value in row.items() if not name.endswith("_time")))
                for table in ("entity", "relation", "chunks")
                for row in await connection.fetch(f"SELECT * FROM {VECTORS.format(table)}")  # noqa: S608
            }
        finally:
            await connection.close()

    async def anchors(self) -> dict[bytes, tuple[str, ...]]:
        """The names of documents' entities and relations, in Redis."""
        async with Redis.from_url(self.valkey) as client:
            keys = [key async for key in client.scan_iter("*_full_entities:*")]
            keys += [key async for key in client.scan_iter("*_full_relations:*")]
            rows = {key: json.loads(await client.get(key)) for key in keys}
        names = ("entity_names", "relation_pairs")
        return {
            key: tuple(sorted(str(one) for name in names for one in row.get(name, [])))
            for key, row in rows.items()
        }

    async def examine(self, *, may_repair: bool = False) -> tuple[list[Finding], list[str]]:
        """`ragfleet doctor`, in this process."""
        settings = load_settings(None, overrides=self.variables)
        return await examine(settings, DEFAULT_WORKSPACE, may_repair=may_repair)

    async def wrong(self) -> dict[str, str]:
        """What it finds, by code."""
        found, _ = await self.examine()
        return {one.code: one.sentence for one in found if one.status in {"warning", "error"}}


async def fill(variables: Mapping[str, str]) -> None:
    """Put two documents into workspace `default`."""
    async with open_fleet(variables) as fleet:
        ours = replace(fleet, workspace=DEFAULT_WORKSPACE)
        for doc_id, text in (("small", SMALL), ("large", LARGE)):
            await ours.upload(doc_id, text)
        await ours.run_until_quiet()


async def rows_of(valkey: str) -> dict[bytes, Any]:
    """Everything in a Valkey."""
    async with Redis.from_url(valkey) as client:
        keys = [key async for key in client.scan_iter()]
        return {key: await client.dump(key) for key in keys}


async def copy_servers(
    template: Mapping[str, str], rows: Mapping[bytes, Any], postgres_url: str, valkey: str, to: Path
) -> Copied:
    """Copy PostgreSQL's database and Valkey's rows."""
    database = await make_database(postgres_url, template=template["POSTGRES_DB"])
    async with Redis.from_url(valkey) as client:
        await client.flushall()
        for key, value in rows.items():
            await client.restore(key, 0, value)
    name = database.rpartition("/")[2]
    return Copied({**template, "POSTGRES_DB": name, "DATA_DIR": str(to)}, database, valkey)


def copy_files(template: Mapping[str, str], to: Path) -> Copied:
    """Copy a folder."""
    shutil.copytree(template["DATA_DIR"], to, dirs_exist_ok=True)
    return Copied({**template, "DATA_DIR": str(to)}, "", "")
