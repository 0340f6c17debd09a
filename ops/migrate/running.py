"""One migration from the look at the source to the receipt."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from ops.client.session import output
from ops.migrate.archive_places import archive_at
from ops.migrate.comparing import Comparison
from ops.migrate.errors import MigrationDiffersError, PlaceError
from ops.migrate.exporting import check, export
from ops.migrate.filling import Filled, fill, require_same_embedding, verify
from ops.migrate.folder.target import FolderTarget
from ops.migrate.installation import Installation, keeps_files, with_workspace
from ops.migrate.live.telling import looked_at, seen
from ops.migrate.places import PlaceKind
from ops.migrate.request import Request
from ops.migrate.room import ArchiveSize
from ops.migrate.showing import Bars, table_of, table_of_comparison
from ops.migrate.source import Source, open_file
from ops.migrate.tally import Sum, Tally, history_of
from ops.settings_in_use import settings_in_use
from shared.ids import parse_workspace_name
from shared.settings import Settings

_SHOWN = 5


def run(request: Request, settings: Settings) -> None:
    """Carry a request out and tell how it goes.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    if PlaceKind.SETTINGS in {request.source.kind, request.target.kind}:
        settings = settings_in_use(settings)
    match request.source.kind, request.target.kind:
        case PlaceKind.SETTINGS, PlaceKind.SETTINGS:
            sentence = "Source and target are the same; name the other one's `settings:FILE`."
            raise PlaceError(sentence)
        case PlaceKind.SETTINGS, _:
            asyncio.run(_out_of_stores(request, settings))
        case _, PlaceKind.SETTINGS:
            source = open_file(request.source, request.source_workspace, settings)
            into_stores(request, source, settings)
        case _:
            source = open_file(request.source, request.source_workspace, settings)
            asyncio.run(_into_files(request, source, settings))


async def _look(
    request: Request, source: Source, size: ArchiveSize | None = None
) -> dict[str, Sum]:
    """Read the source once: a damaged one is known before anything is written."""
    tally = Tally()
    async for operation in source.operations():
        tally.add(operation)
        if size is not None:
            size.add(operation)
    async for item in source.history():
        tally.add_history(item)
        if size is not None:
            size.add_history(item)
    output.print(f"In {request.source}:", table_of(tally.sums()))
    if request.dry_run:
        output.print("Nothing was written; leave --dry-run out to copy it.")
    return tally.sums()


async def _out_of_stores(request: Request, settings: Settings) -> None:
    name = parse_workspace_name(request.source_workspace or request.workspace)

    async def copy(installation: Installation) -> None:
        await _into_files(request, installation.as_source(), settings)

    if keeps_files(settings):
        await with_workspace(settings, name, copy, is_made=False)
    elif request.dry_run:
        async with looked_at(settings, name) as source:
            await _into_files(request, source, settings)
    else:
        async with seen(settings, name) as source:
            await _into_files(request, source, settings)


async def _into_files(request: Request, source: Source, settings: Settings) -> None:
    if request.target.kind is PlaceKind.FOLDER:
        await _into_folder(request, source)
    else:
        await _into_archive(request, source, settings)


async def _into_folder(request: Request, source: Source) -> None:
    target = FolderTarget.in_folder(request.target.path, request.folder_workspace)
    sums = await _look(request, source)
    if request.dry_run:
        return
    if beside := history_of(sums):
        output.print(f"LightRAG's files have no place for {', '.join(beside)}; an archive has.")
    sums = {section: found for section, found in sums.items() if section not in beside}
    if not request.verify_only:
        with Bars(output, sums, "write") as bars:
            await target.write(source, bars)
    with Bars(output, sums, "verify") as bars:
        found = await target.check(bars)
    if found != sums:
        raise MigrationDiffersError(f"{target.folder} does not hold what is in {request.source}.")
    output.print(f"{target.folder} holds all of it: {target.size_bytes():,} bytes.")


async def _into_archive(request: Request, source: Source, settings: Settings) -> None:
    archive = archive_at(request.target, settings)
    size = ArchiveSize(source.dimension() or 0)
    sums = await _look(request, source, size)
    if not (request.verify_only or request.target.url):
        output.print(size.require_room(request.target.path.parent), markup=False)
    if request.dry_run:
        return
    if not request.verify_only:
        with Bars(output, sums, "write") as bars:
            # Uploads are accepted meanwhile, so their tasks are what they were when written.
            sums |= history_of(
                await export(source, archive, workspace=request.workspace, progress=bars)
            )
    with Bars(output, sums, "verify") as bars:
        found = await check(archive, bars)
    if found != sums:
        raise MigrationDiffersError(f"{archive} does not hold what is in {request.source}.")
    output.print(f"{archive} holds all of it: {archive.size_bytes():,} bytes.")


def into_stores(request: Request, source: Source, settings: Settings) -> None:
    """Look at a source, copy it into this installation, compare, and write a receipt.

    Args:
        request: what a person asked for.
        source: what is at the place that the request names.
        settings: of this installation.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    require_same_embedding(source, settings)
    sums = asyncio.run(_look(request, source))
    if request.dry_run:
        return

    async def copy(installation: Installation) -> None:
        started_s = time.monotonic()
        with Bars(output, sums, "copy") as bars:
            filled = await fill(installation, source, bars)
        _tell_copied(filled, time.monotonic() - started_s)

    async def compare(installation: Installation) -> None:
        with Bars(output, sums, "verify") as bars:
            comparison = await verify(installation, source, bars)
        _tell_compared(comparison)

    works = [compare] if request.verify_only else [copy, compare]
    asyncio.run(with_workspace(settings, request.workspace, *works, is_made=copy in works))
    receipt = _write_receipt(request, sums, settings)
    output.print(f"Everything was read back and is equal. Receipt: {receipt}")


def _tell_copied(filled: Filled, took_s: float) -> None:
    output.print(f"Copied in {took_s:.0f} s; {filled.documents} documents are listed.")
    if filled.unlisted:
        shown = ", ".join(filled.unlisted[:_SHOWN])
        output.print(
            f"{len(filled.unlisted)} were never read to their end, or have ids that documents "
            f"may not have here; they are not listed: {shown}",
            markup=False,
        )


def _tell_compared(comparison: Comparison) -> None:
    output.print(table_of_comparison(comparison))
    if comparison.different:
        for example in comparison.examples:
            output.print(example, markup=False)
        raise MigrationDiffersError


def _write_receipt(request: Request, sums: Mapping[str, Sum], settings: Settings) -> Path:
    now = datetime.now(UTC)
    folder = settings.storage.data_dir / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{request.workspace}-{now:%Y%m%dT%H%M%SZ}.receipt.json"
    receipt = {
        "from": str(request.source),
        "source_workspace": request.source_workspace,
        "to": str(request.target),
        "workspace": request.workspace,
        "verified_at": now.isoformat(),
        "items": {section: asdict(found) for section, found in sums.items()},
    }
    path.write_text(json.dumps(receipt, indent=1) + "\n")
    return path
