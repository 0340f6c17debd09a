"""The folder of a workspace as something to copy into: LightRAG's files, there whole or not."""

import asyncio
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ops.migrate.errors import SourceChangedError, TargetNotEmptyError
from ops.migrate.folder.layout import ROW_FILES, files_in
from ops.migrate.folder.source import FolderSource
from ops.migrate.folder.stock import StockSample
from ops.migrate.folder.writing import FolderWriter
from ops.migrate.progress import Progress
from ops.migrate.tally import Sum, Tally
from shared.objects.durable import flush_folder
from worker.commit.unit_of_work.unit import STATUS_STORAGE

if TYPE_CHECKING:
    from ops.migrate.source import Source

# In the folder and not beside it: that may be where another file system is mounted.
_UNFINISHED = ".ragfleet-unfinished"


@dataclass(frozen=True)
class FolderTarget:
    """The files of one workspace."""

    folder: Path

    @classmethod
    def in_folder(cls, root: Path, workspace: str) -> "FolderTarget":
        """Choose a workspace of a working folder; the one without a name is the root itself."""
        return cls(root / workspace)

    def require_free(self) -> None:
        """Look whether the folder may be filled, before much is read for it.

        Raises:
            TargetNotEmptyError: LightRAG's files are there.
        """
        _require_no_files(self.folder)

    async def write(self, source: "Source", progress: Progress) -> None:
        """Copy a source; the files have their names only when all are whole and on the disk.

        Raises:
            TargetNotEmptyError: LightRAG's files are there, or somebody is writing some.
            SourceChangedError: somebody wrote into the source meanwhile; nothing is left behind.
            SourceUnreadableError: the source is damaged; nothing is left behind.
            ItemUnwritableError: the files' formats have no place for something in it.
            OSError: the disk is full, or the folder may not be written.
        """
        before = source.fingerprint()
        with _unfinished(self.folder) as unfinished:
            with closing(FolderWriter(unfinished)) as writer:
                async for operation in source.operations():
                    writer.write(operation)
                    progress.advance(operation)
                await asyncio.to_thread(writer.finish)
            if source.fingerprint() != before:
                raise SourceChangedError
            _require_no_files(self.folder)  # LightRAG may have been started there meanwhile
            _publish(unfinished, self.folder)

    async def check(self, progress: Progress) -> dict[str, Sum]:
        """Read everything back, and some of it with LightRAG's own classes; return what there is.

        Raises:
            SourceUnreadableError: a file is damaged.
            MigrationDiffersError: LightRAG finds something else than is in the files.
        """
        tally, sample = Tally(), StockSample()
        async for operation in FolderSource(self.folder, as_written=True).operations():
            tally.add(operation)
            sample.add(operation)
            progress.advance(operation)
        await sample.compare()
        return tally.sums()

    def size_bytes(self) -> int:
        """Return what the files take."""
        return sum(file.stat().st_size for file in files_in(self.folder))


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """Give a folder in the folder for files that are not whole; it is gone afterwards.

    What a killed process left in it is removed.
    """
    is_new = not folder.exists()
    unfinished = folder / _UNFINISHED
    try:
        _require_free(folder)
        unfinished.mkdir(parents=True, exist_ok=True)
        with _only_writer(unfinished):
            try:
                _remove_left(unfinished)
                _require_free(folder)
                yield unfinished
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    finally:
        if is_new:
            with suppress(OSError):  # it holds something
                folder.rmdir()


@contextmanager
def _only_writer(unfinished: Path) -> Iterator[None]:
    """Hold a lock that the kernel releases however this process ends."""
    with (unfinished / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = f"Another migration is writing into {unfinished.parent}; wait for its end."
            raise TargetNotEmptyError(sentence) from None
        yield


def _remove_left(unfinished: Path) -> None:
    for file in unfinished.iterdir():
        if file.name != "lock":
            file.unlink()


def _require_free(folder: Path) -> None:
    if (folder / _UNFINISHED / ROW_FILES[STATUS_STORAGE]).exists() and files_in(folder):
        sentence = (
            f"A copy into {folder} was killed while its files were given their names; remove "
            "kv_store_*, vdb_* and graph_* there and begin anew."
        )
        raise TargetNotEmptyError(sentence)
    _require_no_files(folder)


def _require_no_files(folder: Path) -> None:
    if files_in(folder):
        raise TargetNotEmptyError(f"{folder} holds files of LightRAG; name another folder.")


def _publish(unfinished: Path, folder: Path) -> None:
    """Give all files their names, the list of documents at last: without it LightRAG shows none."""
    files = sorted(files_in(unfinished), key=lambda file: file.name == ROW_FILES[STATUS_STORAGE])
    named: list[Path] = []
    try:
        named.extend(file.rename(folder / file.name) for file in files)
    except OSError:
        for file in named:
            file.unlink()
        raise
    flush_folder(folder)
