"""What can be wrong with backups and the places where they are kept."""

from ops.migrate.errors import SourceNotFoundError
from shared.errors import AppError, ConflictError, SettingsError


class BackupPlaceError(SettingsError):
    """A place for backups is a folder or `s3://bucket/prefix`; correct BACKUP_TO or the option."""


class BackupPlaceUnavailableError(AppError):
    """The place for backups is full or cannot be reached; make room or see to it, then repeat."""

    code = "backup_place_unavailable"
    retryable = True


class BackupNotFoundError(SourceNotFoundError):
    """There is no such backup; `ragfleet backup list` shows what there is."""

    code = "backup_not_found"


class BackupExistsError(ConflictError):
    """There is a backup of this name already; wait a second and make another one."""

    code = "backup_exists"


class BackupDiffersError(AppError):
    """The backup does not hold what was written into it and was removed; see to the place."""

    code = "backup_differs"
