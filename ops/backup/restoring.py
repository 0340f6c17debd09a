"""Fills a new workspace from a backup, and reads everything back."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ops.backup.catalogue import Backup
from ops.backup.places import BackupPlace
from ops.migrate.into_stores import into_stores
from ops.migrate.places import Place, PlaceKind
from ops.migrate.request import Request
from ops.migrate.source import ArchiveSource
from ops.settings_in_use import settings_in_use
from shared.ids import WorkspaceName
from shared.settings import Settings


@dataclass(frozen=True)
class StoredBackup:
    """A backup in a place, streamed from there each time it is read."""

    place: BackupPlace
    name: str

    def reader(self) -> AbstractContextManager[IO[bytes]]:
        """Open it to be read from its beginning."""
        return self.place.reader(self.name)

    def fingerprint(self) -> str:
        """Return the name: a backup is never written again."""
        return f"backup:{self.name}"


def restore(
    backup: Backup,
    place: BackupPlace,
    workspace: WorkspaceName,
    settings: Settings,
    *,
    is_replacing: bool = False,
    is_confirmed: bool = False,
) -> None:
    """Fill a workspace that is empty or not there yet, list its documents, and compare.

    Args:
        backup: which one.
        place: where it is.
        workspace: what is filled.
        settings: of the installation.
        is_replacing: what the workspace holds is deleted first.
        is_confirmed: nobody is asked whether that is meant.

    Raises:
        SettingsError: settings name no stores and nothing runs, or another process has the files.
        ArchiveDamagedError: the backup is damaged; nothing was written.
        EmbeddingMismatchError: it holds vectors of another model.
        TargetNotEmptyError: the workspace holds something.
        MigrationDiffersError: not everything could be read back.
        UnavailableError: a server is away; the same command goes on.
    """
    request = Request(
        source=Place(PlaceKind.ARCHIVE, Path(backup.name)),
        source_workspace="",
        target=Place(PlaceKind.SETTINGS, Path()),
        workspace=workspace,
        dry_run=False,
        verify_only=False,
        is_replacing=is_replacing,
        is_confirmed=is_confirmed,
    )
    source = ArchiveSource(StoredBackup(place, backup.name))
    into_stores(request, source, settings_in_use(settings))
