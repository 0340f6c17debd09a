"""What can be wrong with a source or a target, beside servers that are away."""

from shared.errors import AppError, ConflictError, SettingsError


class PlaceError(SettingsError):
    """A place is `folder:DIR`, `archive:FILE` or `settings[:FILE]`; correct --from or --to."""


class SourceUnreadableError(AppError):
    """The source cannot be read; nothing was changed in it."""

    code = "source_unreadable"


class SourceNotFoundError(SourceUnreadableError):
    """There is no LightRAG data at this place; correct --from."""

    code = "source_not_found"


class SourceChangedError(AppError):
    """The source changed while it was copied; stop what writes, delete the workspace, repeat."""

    code = "source_changed"


class ArchiveDamagedError(SourceUnreadableError):
    """The archive is damaged or incomplete; use another copy of it."""

    code = "archive_damaged"


class TargetNotEmptyError(ConflictError):
    """The target holds something already; choose another workspace or file."""

    code = "target_not_empty"


class MigrationDiffersError(AppError):
    """Not everything is in the target as in the source, see the list; copy anew with --replace."""

    code = "migration_differs"


class NoRoomError(AppError):
    """There is not enough room on the disk for the archive; nothing was written."""

    code = "no_room"


class MigrationRunningError(ConflictError):
    """The same migration is running already; wait for it, or end it."""

    code = "migration_running"


class SecretUnreadableError(AppError):
    """A secret of AWS cannot be read; check its name, the region and the rights to it."""

    code = "secret_unreadable"


class ItemUnwritableError(AppError):
    """The target's format has no place for an item; correct it in the source and repeat."""

    code = "item_unwritable"


class ConfirmationNeededError(SettingsError):
    """This deletes or costs something; say --yes when that is meant."""

    code = "confirmation_needed"


class UnstorableTextError(SourceUnreadableError):
    """A text holds a NUL character or half a character; take it out of a copy of the source."""

    code = "unstorable_text"


class SourceIncompleteError(SourceUnreadableError):
    """Something that the source must have is not there; bring what was left behind."""

    code = "source_incomplete"


class LedgerRevisionError(AppError):
    """The tables of the ledger are not those of this version; run `ragfleet init` or update."""

    code = "ledger_revision"


class TargetFullError(AppError):
    """No space is left where the target is; free some and give the same command again."""

    code = "target_full"


class TargetUnwritableError(AppError):
    """The target's file cannot be written; correct --to."""

    code = "target_unwritable"
