"""Which revision a ledger's tables have; nothing is changed."""

from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import migrations
from shared.ledger.engine import Database


@dataclass(frozen=True)
class Schema:
    """The tables that there are, and those that this program knows."""

    found: str | None
    """The revision of the tables; None: there are none."""
    head: str
    """The one that this program wants."""
    is_known: bool
    """Whether this program knows the one that was found: it can go on from there."""

    @property
    def complaint(self) -> str:
        """Say what is wrong and what to do; empty: nothing is."""
        if self.found is None:
            return "The ledger has no tables yet; run `ragfleet init`."
        if self.found == self.head:
            return ""
        if self.is_known:
            return (
                f"The ledger is at revision {self.found}, {self.head} waits; run `ragfleet init`."
            )
        return (
            f"The ledger is at revision {self.found}, which this program does not know; a newer "
            "one wrote it: update this one."
        )


def migration_scripts() -> Config:
    """Return Alembic's configuration, from a checkout or an installed wheel."""
    config = Config()
    folder = Path(str(migrations.__file__)).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


async def schema_of(database: Database) -> Schema:
    """Read the revision of a ledger.

    Raises:
        LedgerUnavailableError: the database did not answer.
    """
    scripts = ScriptDirectory.from_config(migration_scripts())
    found = None
    async with database.reading() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        if "alembic_version" in names:
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    known = {script.revision for script in scripts.walk_revisions()}
    return Schema(found, str(scripts.get_current_head()), found in known)
