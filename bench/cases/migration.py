"""Workspaces between stores: files, servers, archives; beside a plain copy through LightRAG's API.

The largest move comes last and takes what is left of the time; it is told how far it came.
"""

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure.arithmetic import ratio
from bench.migration.made_rows import DIMENSION, Size
from bench.migration.moving import move
from bench.options import Bench
from bench.settings import CHAT_MODEL, EMBEDDING_MODEL
from bench.systems.stores import PG_GRAPH, Place
from bench.systems.tools import run_tool

NAME = "migration"
_FULL = Size(entities=100_000, relations=200_000, chunks=50_000)
_SMALL_PART = 10
_MOST_S = 1500.0
_SECONDS_A_KIND = 4.0
_ROOT = Path(__file__).parents[2]
_WORKSPACE = "moved"
_PG_ONLY = {"KV_STORAGE": "PGKVStorage", "GRAPH_STORAGE": PG_GRAPH}
_GRAPH_FILE = "graph_chunk_entity_relation.graphml"


async def run(bench: Bench) -> dict[str, Any]:
    """Move, one pair of stores after the other."""
    folder = bench.ground.folder / "migration"
    folder.mkdir()
    try:
        return await _Moves(bench, folder, time.monotonic() + _MOST_S).run()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)


@dataclass(frozen=True)
class _Moves:
    bench: Bench
    folder: Path
    give_up_at_s: float

    async def run(self) -> dict[str, Any]:
        full = Size(*(self.bench.options.size(n) for n in _numbers(_FULL)))
        small = full.divided(_SMALL_PART)
        small_files = await self._made("small", small)
        moves = {name: found async for name, found in self._small_moves(small, small_files)}
        place = await self._empty()
        plain = await run_tool(
            self.bench.ground,
            "bench.migration.plain_copy",
            place,
            self.bench.models(1),
            folder=str(small_files),
            seconds_a_kind=_SECONDS_A_KIND,
        )
        rates: dict[str, float] = plain["items_per_s"]
        files = await self._made("full", full)
        graph = await self._graph_alone(files)
        items = full.entities + full.relations
        graph_name = "files → graph alone"
        moves[graph_name] = await self._move(await self._empty(), graph, items)
        moves["files → servers, all of it"] = await self._move(
            await self._empty(), files, full.items
        )
        return {
            "moves": moves,
            "plain_copy_items_per_s": rates,
            **_compared(moves, graph_name, rates, full),
        }

    async def _small_moves(self, size: Size, files: Path) -> Any:  # noqa: ANN401 - names and figures
        place = await self._empty()
        yield "files → servers", await self._move(place, files, size.items)
        archive = self.folder / "small.ragfleet"
        words = ("--from", "settings", "--source-workspace", _WORKSPACE, "--to")
        out = await self._run((*words, f"archive:{archive}"), place)
        archive_bytes = _bytes_in(self.folder, archive.name)
        yield "servers → archive", out.figures(items=size.items, size_bytes=archive_bytes)
        into = ("--from", f"archive:{archive}", "--to", "settings", "-w", _WORKSPACE)
        back = await self._run(into, await self._empty())
        yield "archive → servers", back.figures(items=size.items, size_bytes=archive_bytes)
        place = await self._empty()
        yield "files → PostgreSQL alone", await self._move(place, files, size.items, _PG_ONLY)

    async def _move(
        self, place: Place, files: Path, items: int, more: dict[str, str] | None = None
    ) -> dict[str, Any]:
        words = ("--from", f"folder:{files}", "--to", "settings", "-w", _WORKSPACE)
        moved = await self._run(words, place, more)
        return moved.figures(items=items, size_bytes=_bytes_in(files))

    async def _run(
        self, words: tuple[str, ...], place: Place, more: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - Moved
        variables = {
            **self.bench.ground.stores.fleet_variables(place),
            **_models(self.bench.ground.model_url),
            "DATA_DIR": str(self.folder / "data"),
            **(more or {}),
        }
        left_s = max(1.0, self.give_up_at_s - time.monotonic())
        return await move(words, variables, cwd=self.folder, timeout_s=left_s)

    async def _empty(self) -> Place:
        await asyncio.to_thread(shutil.rmtree, self.folder / "data", ignore_errors=True)
        return await self.bench.ground.stores.make_place("moves", graph=self.bench.options.graph)

    async def _graph_alone(self, files: Path) -> Path:
        """Put a large graph into a small folder, which lacks nothing that would be derived."""
        folder = await self._made("graph", _FULL.divided(_FULL.entities))
        (folder / _GRAPH_FILE).unlink()
        (folder / _GRAPH_FILE).hardlink_to(files / _GRAPH_FILE)
        return folder

    async def _made(self, name: str, size: Size) -> Path:
        """Make a folder, in a process of its own: the harness stays as small as it was."""
        files = self.folder / name
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bench.migration.made_folder", str(files), *map(str, _numbers(size))),
            cwd=_ROOT,
        )
        if await process.wait():
            raise RuntimeError(name)
        return files


def _numbers(size: Size) -> tuple[int, int, int]:
    return size.entities, size.relations, size.chunks


def _bytes_in(folder: Path, files: str = "*") -> int:
    return sum(file.stat().st_size for file in folder.glob(files))


def _models(url: str) -> dict[str, str]:
    return {
        "LLM_PROVIDER": "openai",
        "LLM_BASE_URL": url,
        "LLM_API_KEY": "bench",
        "LLM_MODEL": CHAT_MODEL,
        "EMBEDDING_PROVIDER": "openai",
        "EMBEDDING_BASE_URL": url,
        "EMBEDDING_API_KEY": "bench",
        "EMBEDDING_MODEL": EMBEDDING_MODEL,
        "EMBEDDING_DIM": str(DIMENSION),
    }


def _compared(
    moves: dict[str, Any], graph_name: str, rates: dict[str, float], size: Size
) -> dict[str, Any]:
    """Say how long the plain copy would take for everything, from the sample's rates."""
    counts = {
        **dict.fromkeys(("entities", "entities_vdb", "entity_chunks"), size.entities),
        **dict.fromkeys(("relations", "relationships_vdb", "relation_chunks"), size.relations),
        **dict.fromkeys(("text_chunks", "chunks_vdb", "llm_response_cache"), size.chunks),
        **dict.fromkeys(
            ("full_docs", "full_entities", "full_relations", "doc_status"), size.documents
        ),
    }
    plain_s = {section: counts[section] / rate for section, rate in rates.items() if rate}
    graph_s = plain_s.get("entities", 0.0) + plain_s.get("relations", 0.0)
    all_s = sum(plain_s.values())
    whole = moves["files → servers, all of it"]["copy_s"]
    graph = moves[graph_name]["copy_s"]
    return {
        "plain_copy_extrapolated_s": {"graph": round(graph_s), "everything": round(all_s)},
        "speedup_everything": ratio(all_s, whole or 0.0),
        "speedup_graph": ratio(graph_s, graph or 0.0),
    }
