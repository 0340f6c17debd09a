"""File storages allow one process: who has a DATA_DIR, has it for itself."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import SettingsError


@contextmanager
def only_process(data_dir: Path) -> Iterator[None]:
    """Hold a lock that the kernel releases however this process ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "files_mode.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = (
                f"DATA_DIR={data_dir} is in use by another process, and file storages allow only "
                "one; stop it or choose another folder."
            )
            raise SettingsError(sentence) from None
        yield
