"""This program and its ledger: do their versions belong together?"""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import migrations
from ops.doctor.ground import Ground
from ops.doctor.report import Finding, Reporter
from shared.connections import ledger_url

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
    scripts = _scripts()
    async with ground.ledger.reading() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        found = None
        if "alembic_version" in names:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    head = scripts.get_current_head()
    if found is None:
        return _SCHEMA.error("The ledger has no tables yet; run `ragfleet init`.")
    if found == head:
        return _SCHEMA.ok(f"The ledger is at revision {found}.")
    if found in {script.revision for script in scripts.walk_revisions()}:
        return _SCHEMA.error(
            f"The ledger is at revision {found}, {head} waits; run `ragfleet init`."
        )
    return _SCHEMA.error(
        f"The ledger is at revision {found}, which this program does not know; a newer one wrote "
        "it: update this one."
    )


def _file_of(ground: Ground) -> Path:
    return Path(str(ledger_url(ground.settings).database))


def _scripts() -> ScriptDirectory:
    config = Config()
    folder = Path(str(migrations.__file__)).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


async def check_uploads_folder(ground: Ground) -> Finding:
    """Ask whether an upload could be kept now."""
    await ground.objects.ping()
    return _UPLOADS.ok("Uploads can be kept.")
