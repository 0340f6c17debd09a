"""Copies a source into an archive or a folder, and reads everything back."""

from ops.client.session import output
from ops.migrate.archive_places import archive_at
from ops.migrate.disks import writable
from ops.migrate.errors import MigrationDiffersError
from ops.migrate.exporting import check, export
from ops.migrate.folder.target import FolderTarget
from ops.migrate.looking import look
from ops.migrate.places import PlaceKind
from ops.migrate.request import Request
from ops.migrate.room import ArchiveSize
from ops.migrate.showing import Bars
from ops.migrate.source import Source
from ops.migrate.tally import history_of
from shared.settings import Settings


def require_free(request: Request, settings: Settings) -> None:
    """Look at the target before anything is read for it.

    Raises:
        TargetNotEmptyError: something is there.
        TargetUnwritableError: it has no folder.
    """
    if request.target.kind is PlaceKind.FOLDER:
        FolderTarget.in_folder(request.target.path, request.folder_workspace).require_free()
    else:
        archive_at(request.target, settings).require_free()


async def into_files(request: Request, source: Source, settings: Settings) -> None:
    """Look at a source, copy it, and compare.

    Args:
        request: what a person asked for; its target is no installation.
        source: what is at the place that the request names.
        settings: they say how S3 is reached.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    if request.target.kind is PlaceKind.FOLDER:
        await _into_folder(request, source)
    else:
        await _into_archive(request, source, settings)


async def _into_folder(request: Request, source: Source) -> None:
    target = FolderTarget.in_folder(request.target.path, request.folder_workspace)
    sums = await look(request.source, source)
    if beside := history_of(sums):
        output.print(f"LightRAG's files have no place for {', '.join(beside)}; an archive has.")
    sums = {section: found for section, found in sums.items() if section not in beside}
    if not request.verify_only:
        with writable(target.folder), Bars(output, sums, "write") as bars:
            await target.write(source, bars)
    with Bars(output, sums, "verify") as bars:
        found = await target.check(bars)
    if found != sums:
        raise MigrationDiffersError(f"{target.folder} does not hold what is in {request.source}.")
    output.print(f"{target.folder} holds all of it: {target.size_bytes():,} bytes.", markup=False)


async def _into_archive(request: Request, source: Source, settings: Settings) -> None:
    archive = archive_at(request.target, settings)
    size = ArchiveSize(source.dimension() or 0)
    sums = await look(request.source, source, size)
    if not request.verify_only:
        path = request.target.path
        with writable(archive), Bars(output, sums, "write") as bars:
            if not request.target.url:
                output.print(size.require_room(path.parent), markup=False)
            written = await export(source, archive, workspace=request.workspace, progress=bars)
        # Uploads are accepted meanwhile, so their tasks are what they were when written.
        sums |= history_of(written)
    with Bars(output, sums, "verify") as bars:
        found = await check(archive, bars)
    if found != sums:
        raise MigrationDiffersError(f"{archive} does not hold what is in {request.source}.")
    output.print(f"{archive} holds all of it: {archive.size_bytes():,} bytes.", markup=False)
