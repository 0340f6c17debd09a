"""Gives a whole file its name: never one that another file has, and so that it lasts."""

import errno
import os
from pathlib import Path

from shared.objects.durable import flush_folder

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP})


def give_name(unfinished: Path, path: Path) -> None:
    """Give a file that is on the disk its name in the same folder; its old name may stay.

    Raises:
        FileExistsError: something of this name is there already, and is left as it was.
        OSError: the disk is full, or refuses it.
    """
    try:
        # Unlike a renaming, a link does not replace what somebody else wrote meanwhile.
        path.hardlink_to(unfinished)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename(unfinished, path)
    flush_folder(path.parent)


def _rename(unfinished: Path, path: Path) -> None:
    """Do without links, as on FAT: two that come within the same moment are not told apart."""
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    unfinished.rename(path)
