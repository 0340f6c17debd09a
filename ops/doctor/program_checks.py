"""This program and its ledger: do their versions belong together?"""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.connections import ledger_url
from shared.ledger.schema import schema_of

_LIGHTRAG = Reporter("doctor.lightrag_version")
_SCHEMA = Reporter("doctor.ledger_schema")
_UPLOADS = Reporter("doctor.uploads_folder")
_PACKAGE = "lightrag-hku"


def check_lightrag() -> Finding:
    """Compare the installed LightRAG with the one that this program was made for."""
    found = version(_PACKAGE)
    pinned = _pinned()
    if pinned is not None and found != pinned:
        return _LIGHTRAG.error(
            f"{_PACKAGE} {found} is installed, but this program uses the insides of {pinned}; "
            f"run `pip install {_PACKAGE}=={pinned}`."
        )
    return _LIGHTRAG.ok(f"{_PACKAGE} {found}.")


def _pinned() -> str | None:
    try:
        wanted = requires("lightrag-fleet") or []
    except PackageNotFoundError:  # run from a checkout that was never installed
        return None
    pins = (re.match(rf"{_PACKAGE}\s*==\s*([\w.]+)", one) for one in wanted)
    return next((pin[1] for pin in pins if pin), None)


async def check_schema(ground: Ground) -> Finding:
    """Compare the ledger's tables with those that this program knows; changes nothing."""
    if not ground.has_servers and not _file_of(ground).exists():
        return _SCHEMA.error("There is no ledger in DATA_DIR yet; the first start makes one.")
    schema = await schema_of(ground.ledger)
    if schema.complaint:
        return _SCHEMA.error(schema.complaint)
    return _SCHEMA.ok(f"The ledger is at revision {schema.found}.")


def _file_of(ground: Ground) -> Path:
    return Path(str(ledger_url(ground.settings).database))


async def check_uploads_folder(ground: Ground) -> Finding:
    """Ask whether an upload could be kept now."""
    await ground.objects.ping()
    return _UPLOADS.ok("Uploads can be kept.")
