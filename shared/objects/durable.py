"""Makes what was made or renamed in a folder survive a power cut."""

import os
from pathlib import Path


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; it blocks.

    Raises:
        OSError: the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
