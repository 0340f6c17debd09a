"""Which user a server runs as, and whether that user can reach a path."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_USER = "nobody"  # exists on every Linux; PostgreSQL refuses to run as root


@dataclass(frozen=True, slots=True)
class Account:
    """A user that owns a server's files."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The account a server must change to; None when we are not root and run as ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_USER)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def first_closed(path: Path, account: Account) -> Path | None:
    """The topmost folder of an existing path that the account may not enter, or its file.

    None means the path is reachable. Access lists beyond the nine mode bits are not seen.
    """
    resolved = path.resolve()
    for part in [*reversed(resolved.parents), resolved]:
        wanted = stat.S_IXOTH if part.is_dir() else stat.S_IROTH
        if not _allows(part, wanted, account):
            return part
    return None


def _allows(path: Path, wanted: int, account: Account) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        granted = status.st_mode >> 6
    elif status.st_gid == account.gid:
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & wanted == wanted
