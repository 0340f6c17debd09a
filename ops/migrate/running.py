"""One migration from the look at the source to the receipt."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.client.session import output
from ops.migrate.census.looking import look_at
from ops.migrate.comparing import Comparison
from ops.migrate.disks import writable
from ops.migrate.errors import MigrationDiffersError, PlaceError
from ops.migrate.exporting import check, export
from ops.migrate.filling import Filled, fill, require_same_embedding, verify
from ops.migrate.installation import Installation, with_workspace
from ops.migrate.places import Place, PlaceKind
from ops.migrate.planning import plan_from_files, plan_from_stores
from ops.migrate.replacing import empty_workspace
from ops.migrate.sampling import ask_both
from ops.migrate.showing import Bars, table_of, table_of_comparison, tell_switch
from ops.migrate.source import Source, open_file
from ops.migrate.switching import switch_to
from ops.migrate.tally import Sum, Tally, history_of
from ops.migrate.texts import checked
from ops.settings_in_use import settings_in_use
from shared.ids import WorkspaceName, parse_workspace_name
from shared.settings import Settings

_SHOWN = 5


@dataclass(frozen=True)
class Request:
    """What a person asked for."""

    source: Place
    source_workspace: str
    target: Place
    workspace: WorkspaceName
    dry_run: bool
    verify_only: bool
    is_replacing: bool = False
    """What is in the target workspace is deleted first."""
    is_confirmed: bool = False
    """Nobody is asked whether that is meant."""


def run(request: Request, settings: Settings) -> None:
    """Carry a request out and tell how it goes.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    if PlaceKind.SETTINGS in {request.source.kind, request.target.kind}:
        settings = settings_in_use(settings)
    if request.is_replacing and request.target.kind is not PlaceKind.SETTINGS:
        raise PlaceError("--replace is about a workspace of `settings`; name another file.")
    match request.source.kind, request.target.kind:
        case _, PlaceKind.FOLDER:
            sentence = "A folder can be a source only; name an archive or `settings`."
            raise PlaceError(sentence)
        case PlaceKind.SETTINGS, PlaceKind.SETTINGS:
            sentence = "Two installations have settings of their own; go by way of an archive."
            raise PlaceError(sentence)
        case PlaceKind.SETTINGS, _:
            asyncio.run(_out_of_stores(request, settings))
        case _, PlaceKind.SETTINGS:
            _into_stores(request, settings)
        case _:
            source = open_file(request.source, request.source_workspace)
            asyncio.run(_files_into_archive(request, source, settings))


async def _look(request: Request, source: Source) -> dict[str, Sum]:
    """Read the source once: a damaged one is known before anything is written."""
    tally = Tally()
    async for operation in checked(source):
        tally.add(operation)
    async for item in source.history():
        tally.add_history(item)
    output.print(f"In {request.source}:", table_of(tally.sums()))
    return tally.sums()


async def _out_of_stores(request: Request, settings: Settings) -> None:
    name = parse_workspace_name(request.source_workspace or request.workspace)
    if request.dry_run:
        await plan_from_stores(name, request.target.path, settings)
        return

    async def archive(installation: Installation) -> None:
        await _into_archive(request, installation.as_source())

    await with_workspace(settings, name, archive, is_made=False)


async def _files_into_archive(request: Request, source: Source, settings: Settings) -> None:
    if request.dry_run:
        await plan_from_files(source, request.target.path, settings)
        return
    await _into_archive(request, source)


async def _into_archive(request: Request, source: Source) -> None:
    path = request.target.path
    sums = await _look(request, source)
    if not request.verify_only:
        with writable(path), Bars(output, sums, "write") as bars:
            # Uploads are accepted meanwhile, so their tasks are what they were when written.
            sums |= history_of(
                await export(source, path, workspace=request.workspace, progress=bars)
            )
    with Bars(output, sums, "verify") as bars:
        found = check(path, bars)
    if found != sums:
        raise MigrationDiffersError(f"{path} does not hold what is in {request.source}.")
    output.print(f"{path} holds all of it: {path.stat().st_size:,} bytes.")


def _into_stores(request: Request, settings: Settings) -> None:
    source = open_file(request.source, request.source_workspace)
    require_same_embedding(source, settings)
    if request.dry_run:
        asyncio.run(plan_from_files(source, request.workspace, settings))
        return
    sums = asyncio.run(_look(request, source))
    if request.is_replacing and not request.verify_only:
        emptied = empty_workspace(
            settings, request.workspace, source, is_confirmed=request.is_confirmed
        )
        asyncio.run(emptied)

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
    asked = asyncio.run(ask_both(source, settings, request.workspace))
    output.print(str(asked))
    if not asked.is_good:
        raise MigrationDiffersError("Questions find other things in the target than in the source.")
    physical = asyncio.run(look_at(settings, request.workspace)).physical
    assert physical is not None  # noqa: S101 - it was just filled
    switch = switch_to(settings, physical)
    receipt = _write_receipt(request, sums, settings, {"asked": asdict(asked), **asdict(switch)})
    tell_switch(output, switch)
    output.print(f"Everything was read back and is equal. Receipt: {receipt}", soft_wrap=True)


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


def _write_receipt(
    request: Request, sums: Mapping[str, Sum], settings: Settings, more: Mapping[str, Any]
) -> Path:
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
        **more,
    }
    path.write_text(json.dumps(receipt, indent=1) + "\n")
    return path
