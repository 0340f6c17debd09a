"""Which backups a place has, by their names: `<workspace>-<UTC time>.ragfleet` and a receipt."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ops.backup.errors import BackupNotFoundError
from ops.backup.names import ARCHIVE, ARCHIVE_NAME, RECEIPT
from ops.backup.places import BackupFile, BackupPlace
from shared.ids import WorkspaceName

_MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, order=True)
class Backup:
    """One backup; ordered by workspace, then by age, oldest first."""

    workspace: WorkspaceName
    made_at: datetime
    """UTC, in whole seconds."""
    size_bytes: int = 0
    is_verified: bool = False
    """Whether it was read back after it was written: only such a one counts."""

    @property
    def name(self) -> str:
        """Return the name of its archive."""
        return f"{self._stem}{ARCHIVE}"

    @property
    def receipt(self) -> str:
        """Return the name of the file that is written when it was read back."""
        return f"{self._stem}{RECEIPT}"

    @property
    def _stem(self) -> str:
        return f"{self.workspace}-{self.made_at:{_MOMENT}}"


def backups_among(files: Iterable[BackupFile]) -> list[Backup]:
    """Find the backups among a place's files; whatever has another name is not ours."""
    listed = {file.name: file for file in files}
    found = []
    for name, file in listed.items():
        match = ARCHIVE_NAME.fullmatch(name)
        moment = _moment_of(match["moment"]) if match else None
        if match is None or moment is None:
            continue
        verified = f"{name.removesuffix(ARCHIVE)}{RECEIPT}" in listed
        workspace = WorkspaceName(match["workspace"])
        found.append(Backup(workspace, moment, file.size_bytes, verified))
    return sorted(found)


def newest(backups: Iterable[Backup], workspace: WorkspaceName) -> Backup | None:
    """Return the newest verified backup of a workspace."""
    its = [one for one in backups if one.workspace == workspace and one.is_verified]
    return max(its, default=None)


def find_backup(place: BackupPlace, name: str, workspace: WorkspaceName | None) -> Backup:
    """Find a backup by its name, or a workspace's newest verified one by the word `latest`.

    Raises:
        BackupNotFoundError: there is none.
        BackupPlaceUnavailableError: the place cannot be read.
    """
    backups = backups_among(place.list())
    if name == "latest" and workspace is not None:
        found = newest(backups, workspace)
        sought = f"verified backup of workspace {workspace}"
    else:
        found = next((one for one in backups if one.name == name), None)
        sought = f"backup named {name}"
    if found is None:
        sentence = f"There is no {sought} in {place}; `ragfleet backup list` shows what there is."
        raise BackupNotFoundError(sentence)
    return found


def _moment_of(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
    except ValueError:  # a 31 February
        return None
