"""Writes a source into an archive, and reads the archive once more to be sure."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import IO

from ops.migrate.archive import ArchiveReader, ArchiveWriter, Head
from ops.migrate.archive_places import ArchivePlace
from ops.migrate.history.items import SECTIONS, counted
from ops.migrate.progress import Progress
from ops.migrate.source import Source
from ops.migrate.tally import Sum
from shared.objects.threads import in_threads, run_to_its_end


async def export(
    source: Source, archive: ArchivePlace, *, workspace: str, progress: Progress
) -> dict[str, Sum]:
    """Write an archive; it is at its place only when it is whole and durable.

    Returns:
        What is in it, by section.

    Raises:
        TargetNotEmptyError: there is one at this place.
        SourceUnreadableError: the source is damaged; nothing is left behind.
        OSError: the disk is full, or the folder is not there.
        ObjectStoreUnavailableError: S3 is away.
    """
    async with in_threads(archive.writer()) as file:
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
        # In a thread: a slow disk or network must not stop the renewal of a lease.
        await run_to_its_end(None, archive.write, operation)
        progress.advance(operation)
    async for item in source.history():
        await archive.write_history(item)
        progress.advance_by(*counted(item))
    return archive.finish()


async def check(archive: ArchivePlace, progress: Progress) -> dict[str, Sum]:
    """Read an archive to its end and return what is in it, by section.

    Raises:
        ArchiveDamagedError: it is not what was written.
    """
    async with in_threads(archive.reader()) as file:
        return await run_to_its_end(None, check_archive, file, progress)


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
