"""Makes one backup: written under the commit lease, read back after it, then given a receipt."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from ops.backup.catalogue import Backup, backups_among, newest
from ops.backup.errors import BackupDiffersError
from ops.backup.places import BackupPlace
from ops.migrate.errors import ArchiveDamagedError
from ops.migrate.exporting import check_archive, write_archive
from ops.migrate.installation import Installation, with_workspace
from ops.migrate.tally import Sum
from shared.errors import WorkspaceBusyError
from shared.ids import WorkspaceName
from shared.objects.threads import in_threads
from shared.settings import Settings
from worker.commit.operations import Operation

# A backup without a receipt is being read back. Whoever is at it for longer, counted from when we
# saw it first (its name says when writing began), is taken for dead; what is older than three
# days, the longest that a backup takes, is not waited for at all.
_READ_BACK = timedelta(minutes=30)
_ABANDONED_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Made:
    """A backup that was read back."""

    backup: Backup
    items: int
    took_s: float
    paused_s: float
    """So long nothing could be committed into the workspace."""


class Maker:
    """Makes backups of an installation's workspaces in a place."""

    def __init__(
        self, settings: Settings, place: BackupPlace, *, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._place = place
        self._now = now
        self._first_seen: dict[str, datetime] = {}
        """When the backups were met first that somebody else reads back, by their names."""

    async def due(self, names: Iterable[WorkspaceName], since: datetime) -> list[WorkspaceName]:
        """Return the workspaces that have no verified backup since a moment."""
        backups = backups_among(await asyncio.to_thread(self._place.list))
        return [name for name in names if _is_due(newest(backups, name), since)]

    async def make(self, name: WorkspaceName, *, since: datetime | None = None) -> Made | None:
        """Back a workspace up, as it is between two commits.

        Args:
            name: of the workspace.
            since: make none where somebody else made one since then; the commit lease lets one
                look at a time, so two who are told the same make one.

        Returns:
            The backup; None: somebody else made one.

        Raises:
            WorkspaceNotFoundError: there is no such workspace.
            WorkspaceBusyError: somebody else goes on writing into it.
            SourceUnreadableError: the stores name items that they do not give.
            BackupPlaceUnavailableError: the place is full or away; nothing half is left there.
            BackupDiffersError: what was read back is not what was written; it was removed.
            UnavailableError: a server is away.
        """
        started_s = time.monotonic()
        written: list[tuple[Backup, dict[str, Sum], float]] = []

        async def write(installation: Installation) -> None:
            if since is not None and not await self.is_wanted(name, since):
                return
            backup = Backup(name, self._now().astimezone(UTC).replace(microsecond=0))
            sums = await self._write(installation, backup)
            written.append((backup, sums, installation.leased_at_s))

        await with_workspace(self._settings, name, write, is_made=False)
        if not written:
            return None
        [(backup, sums, leased_at_s)] = written
        paused_s = time.monotonic() - leased_at_s
        size_bytes = await asyncio.to_thread(self._verify, backup, sums)
        took_s = time.monotonic() - started_s
        whole = Backup(name, backup.made_at, size_bytes, is_verified=True)
        made = Made(whole, sum(found.count for found in sums.values()), took_s, paused_s)
        await asyncio.to_thread(self._write_receipt, made, sums)
        return made

    async def is_wanted(self, name: WorkspaceName, since: datetime) -> bool:
        """Tell whether a backup is still to be made; asked under the lease, so that two make one.

        Raises:
            WorkspaceBusyError: somebody else has written one, and reads it back.
        """
        backups = backups_among(await asyncio.to_thread(self._place.list))
        if not _is_due(newest(backups, name), since):
            return False
        now = self._now()
        begun_after = max(since, now - _ABANDONED_AFTER)
        for one in backups:
            if one.workspace == name and one.made_at >= begun_after:
                first_seen = self._first_seen.setdefault(one.name, now)
                if now - first_seen < _READ_BACK:
                    raise WorkspaceBusyError(f"A new backup of {name} is being read back.")
        return True

    async def _write(self, installation: Installation, backup: Backup) -> dict[str, Sum]:
        source = installation.as_source()
        # In threads: a disk that is slow to sync must not stop the lease's renewal.
        async with in_threads(self._place.writer(backup.name)) as file:
            return await write_archive(
                source, file, workspace=backup.workspace, progress=_Unwatched()
            )

    def _verify(self, backup: Backup, sums: Mapping[str, Sum]) -> int:
        try:
            with self._place.reader(backup.name) as file:
                found = check_archive(file, _Unwatched())
        except ArchiveDamagedError:
            found = None
        if found != sums:
            self._place.delete(backup.name)
            raise BackupDiffersError
        return next(file.size_bytes for file in self._place.list() if file.name == backup.name)

    def _write_receipt(self, made: Made, sums: Mapping[str, Sum]) -> None:
        receipt = {
            "workspace": made.backup.workspace,
            "made_at": made.backup.made_at.isoformat(),
            "verified_at": self._now().isoformat(),
            "size_bytes": made.backup.size_bytes,
            "took_s": round(made.took_s, 3),
            "commits_paused_s": round(made.paused_s, 3),
            "items": {section: asdict(found) for section, found in sums.items()},
        }
        with self._place.writer(made.backup.receipt) as file:
            file.write(json.dumps(receipt, indent=1).encode() + b"\n")


def _is_due(found: Backup | None, since: datetime) -> bool:
    return found is None or found.made_at < since


class _Unwatched:
    """Nobody looks how far it is."""

    def advance(self, operation: Operation) -> None:
        """Forget it."""

    def advance_by(self, section: str, items: int) -> None:
        """Forget it."""
