"""Ingests a mix of real documents through the public API of a local system, and measures it.

usage: python bench/real_documents.py CORPUS [--count 300] [--shape embedded|files] [--json FILE]

CORPUS is a folder of documents in folders by kind. The choice is seeded and takes equally many
of every folder, of up to 66 KB each, so that no single manual fills the hour.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console

from ops.client.api_client import ApiClient
from ops.client.delivery import Delivery, Outcome
from ops.client.progress import watch
from ops.local.control import status
from ops.up import local_plan, running_system, with_own_servers
from shared.settings import load_settings

SEED = 20261123
MAX_FILE_BYTES = 66_000
SAMPLE_S = 2.0
MEBIBYTE = 1024 * 1024


@dataclass
class Measured:
    """What the run showed; sizes in MiB, times in seconds."""

    documents: int
    succeeded: int
    failed: dict[str, list[str]]
    chunks: int
    wall_s: float
    documents_per_minute: float
    peak_mib: dict[str, int]


def choose(corpus: Path, count: int) -> list[Path]:
    """Take equally many documents of every folder."""
    generator = random.Random(SEED)
    folders: dict[Path, list[Path]] = {}
    for path in sorted(corpus.rglob("*")):
        listed = path.is_file() and path.parent not in {corpus, corpus / "gold"}
        if listed and path.stat().st_size <= MAX_FILE_BYTES:
            folders.setdefault(path.parent, []).append(path)
    chosen: list[Path] = []
    for position, paths in enumerate(sorted(folders.values(), key=len)):
        share = (count - len(chosen)) // (len(folders) - position)
        chosen += generator.sample(paths, min(share, len(paths)))
    generator.shuffle(chosen)
    return chosen


async def watch_memory(data_dir: Path, peaks: dict[str, int]) -> None:
    """Keep the highest resident size of each of our processes."""
    while True:
        for service in status(data_dir).services:
            if service.pid is None:
                continue
            try:
                size = psutil.Process(service.pid).memory_info().rss // MEBIBYTE
            except psutil.NoSuchProcess:
                continue
            peaks[service.name] = max(peaks.get(service.name, 0), size)
        await asyncio.sleep(SAMPLE_S)


async def run(corpus: Path, *, count: int, files_mode: bool, data_dir: Path) -> Measured:
    """Start a system, ingest, stop it."""
    settings = with_own_servers(load_settings(), files=files_mode)
    plan = local_plan(settings, data_dir=data_dir, api_port=None, flower_port=None)
    paths = choose(corpus, count)
    peaks: dict[str, int] = {}
    async with running_system(plan) as system, ApiClient(system.api_url, key="") as client:
        memory = asyncio.create_task(watch_memory(data_dir, peaks))
        started_s = time.monotonic()
        with watch(Console(), documents=len(paths), live=False) as watcher:
            outcomes = await Delivery(client, watcher, wait=True).deliver(paths)
        wall_s = time.monotonic() - started_s
        memory.cancel()
    return summarise(outcomes, corpus=corpus, wall_s=wall_s, peaks=peaks)


def summarise(
    outcomes: list[Outcome], *, corpus: Path, wall_s: float, peaks: dict[str, int]
) -> Measured:
    """Count what became of the documents, and name each that failed."""
    failed: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.state != "succeeded":
            name = str(outcome.path.relative_to(corpus))
            failed.setdefault(outcome.code or outcome.state, []).append(name)
    states = Counter(outcome.state for outcome in outcomes)
    return Measured(
        documents=len(outcomes),
        succeeded=states["succeeded"],
        failed={code: sorted(names) for code, names in sorted(failed.items())},
        chunks=sum(outcome.chunks or 0 for outcome in outcomes),
        wall_s=round(wall_s, 1),
        documents_per_minute=round(len(outcomes) / wall_s * 60, 1),
        peak_mib=peaks,
    )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--shape", choices=("embedded", "files"), default="embedded")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ragfleet-bench-") as data_dir:
        Path(data_dir).chmod(0o711)  # as root, PostgreSQL runs as another user
        measured = asyncio.run(
            run(
                arguments.corpus.resolve(),
                count=arguments.count,
                files_mode=arguments.shape == "files",
                data_dir=Path(data_dir),
            )
        )
    text = json.dumps(asdict(measured), indent=2, ensure_ascii=False)
    print(text)
    if arguments.json:
        arguments.json.write_text(text)


if __name__ == "__main__":
    main()
