"""Writes a source into an archive, and reads the archive once more to be sure."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from ops.migrate.archive import ArchiveReader, ArchiveWriter, Head
from ops.migrate.errors import TargetNotEmptyError
from ops.migrate.history.items import SECTIONS, counted
from ops.migrate.progress import Progress
from ops.migrate.source import Source
from ops.migrate.tally import Sum


async def export(
    source: Source, path: Path, *, workspace: str, progress: Progress
) -> dict[str, Sum]:
    """Write an archive; it has its name only when it is whole and on the disk.

    Returns:
        What is in it, by section.

    Raises:
        TargetNotEmptyError: there is a file of this name.
        SourceUnreadableError: the source is damaged; nothing is left behind.
        OSError: the disk is full, or the folder is not there.
    """
    with _new_file(path) as file:
        return await write_archive(source, file, workspace=workspace, progress=progress)


async def write_archive(
    source: Source, file: IO[bytes], *, workspace: str, progress: Progress
) -> dict[str, Sum]:
    """Write an archive into an open file, and return what is in it, by section.

    Raises:
        SourceUnreadableError: the source is damaged.
    """
    head = Head(
        workspace=workspace,
        dimension=source.dimension() or 0,
        embedding_model=source.embedding_model,
        made_at=datetime.now(UTC).isoformat(),
        version=version("lightrag-fleet"),
    )
    archive = ArchiveWriter(file, head)
    async for operation in source.operations():
        # In a thread: a slow disk must not stop the renewal of a lease.
        await asyncio.to_thread(archive.write, operation)
        progress.advance(operation)
    async for item in source.history():
        await archive.write_history(item)
        progress.advance_by(*counted(item))
    return archive.finish()


def check(path: Path, progress: Progress) -> dict[str, Sum]:
    """Read an archive to its end and return what is in it, by section.

    Raises:
        ArchiveDamagedError: it is not what was written.
    """
    with path.open("rb") as file:
        return check_archive(file, progress)


def check_archive(file: IO[bytes], progress: Progress) -> dict[str, Sum]:
    """Read an open archive to its end and return what is in it, by section.

    Raises:
        ArchiveDamagedError: it is not what was written.
    """
    reader = ArchiveReader(file)
    for operation in reader.operations():
        progress.advance(operation)
    for section in SECTIONS & reader.sums.keys():
        progress.advance_by(section, reader.sums[section].count)
    return reader.sums


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    _require_free(path)
    # A name of its own: two that write to the same place must not write into one file.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("xb") as file:
            yield file
            os.fsync(file.fileno())
        _require_free(path)
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _require_free(path: Path) -> None:
    if path.exists():
        raise TargetNotEmptyError(f"{path} exists; name another file.")
