"""Parses every file of the given folders in the pool: counts, codes, seconds, largest child."""

import asyncio
import collections
import sys
import threading
import time
from pathlib import Path

from shared.errors import AppError
from worker.parsing import ParserPool

MEMORY_BYTES = 1536 * 1024 * 1024


def largest_child_mb(ended: threading.Event, peak_mb: list[int]) -> None:
    """Keep the highest resident size of any parser child in `peak_mb[0]` until `ended`."""
    while not ended.wait(0.03):
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if "forkserver" in (status.parent / "cmdline").read_text():
                    peak_kb = status.read_text().partition("VmHWM:")[2].split()[0]
                    peak_mb[0] = max(peak_mb[0], int(peak_kb) // 1024)
            except (OSError, IndexError):
                continue  # it ended while we looked


async def parse_folder(pool: ParserPool, folder: Path) -> None:
    """Parse one folder's files, four waiting at a time, and print what became of them."""
    codes: dict[str, list[str]] = collections.defaultdict(list)
    slots = asyncio.Semaphore(4)

    async def one(path: Path) -> None:
        async with slots:
            try:
                await pool.parse(path, file_name=path.name)
                codes["succeeded"].append(path.name)
            except AppError as error:
                codes[error.code].append(path.name)

    paths = sorted(path for path in folder.iterdir() if path.is_file())  # noqa: ASYNC240 (a bench)
    started_s, peak_mb, ended = time.monotonic(), [0], threading.Event()
    watch = threading.Thread(target=largest_child_mb, args=(ended, peak_mb))
    watch.start()
    await asyncio.gather(*map(one, paths))
    ended.set()
    watch.join()
    print(f"{folder.name}: {len(paths)} files, {time.monotonic() - started_s:.1f} s, "
          f"{peak_mb[0]} MB", {code: len(names) for code, names in codes.items()})  # fmt: skip
    for code, names in codes.items():
        if code != "succeeded":
            print("   ", code, *names)


async def main(folders: list[str]) -> None:
    """Parse folder after folder in one pool of two children."""
    pool = ParserPool(workers=2, timeout_s=300, memory_bytes=MEMORY_BYTES)
    try:
        for folder in folders:
            await parse_folder(pool, Path(folder))
    finally:
        pool.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
