"""Copies a source into an installation, compares, and says how to use it."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.client.session import output
from ops.migrate.census.looking import look_at
from ops.migrate.comparing import Comparison
from ops.migrate.errors import MigrationDiffersError
from ops.migrate.filling import Filled, fill, require_same_embedding, verify
from ops.migrate.installation import Installation, with_workspace
from ops.migrate.looking import look
from ops.migrate.planning import plan_from_files
from ops.migrate.re_embedding.embedding import cost_of, re_embedded
from ops.migrate.replacing import empty_workspace
from ops.migrate.request import Request
from ops.migrate.sampling import ask_both
from ops.migrate.showing import Bars, table_of_comparison, tell_switch
from ops.migrate.source import Source
from ops.migrate.switching import switch_to
from ops.migrate.taken import require_unlisted
from ops.migrate.tally import Sum
from shared.rag.models import embedding_name
from shared.settings import Settings

_SHOWN = 5


def into_stores(request: Request, source: Source, settings: Settings) -> None:
    """Look at a source, copy it into this installation, compare, and write a receipt.

    Args:
        request: what a person asked for.
        source: what is at the place that the request names.
        settings: of this installation.

    Raises:
        AppError: it cannot be done, and the source is as it was.
    """
    if not request.is_re_embedding:
        require_same_embedding(source, settings)
        _into_stores(request, source, settings)
    elif request.dry_run:
        _into_stores(request, source, settings)
        output.print(f"{asyncio.run(cost_of(source, settings))} by {embedding_name(settings)}.")
    else:
        # A model is paid for, so damage and what is in the way are told before.
        asyncio.run(look(request.source, source))
        with re_embedded(request, source, settings) as renewed:
            _into_stores(request, renewed, settings)


def _into_stores(request: Request, source: Source, settings: Settings) -> None:
    if request.dry_run:
        asyncio.run(plan_from_files(source, request.workspace, settings))
        return
    if not request.is_replacing and not request.verify_only:
        asyncio.run(require_unlisted(settings, request.workspace))
    sums = asyncio.run(look(request.source, source))
    if request.is_replacing and not request.verify_only:
        emptied = empty_workspace(
            settings, request.workspace, source, is_confirmed=request.is_confirmed
        )
        asyncio.run(emptied)
    _copy_and_compare(request, source, settings, sums)
    _ask_and_switch(request, source, settings, sums)


def _copy_and_compare(
    request: Request, source: Source, settings: Settings, sums: Mapping[str, Sum]
) -> None:
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


def _ask_and_switch(
    request: Request, source: Source, settings: Settings, sums: Mapping[str, Sum]
) -> None:
    asked = asyncio.run(ask_both(source, settings, request.workspace))
    output.print(str(asked))
    if not asked.is_good:
        raise MigrationDiffersError("Questions find other things in the target than in the source.")
    physical = asyncio.run(look_at(settings, request.workspace)).physical
    assert physical is not None  # noqa: S101 - it was just filled
    switch = switch_to(settings, physical)
    receipt = _write_receipt(request, sums, settings, {"asked": asdict(asked), **asdict(switch)})
    tell_switch(output, switch)
    output.print(
        f"Everything was read back and is equal. Receipt: {receipt}", soft_wrap=True, markup=False
    )


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
