"""A workspace in files: LightRAG's, and the ledger's SQLite file, which is only read."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from ops.migrate.census.record import Amount, Census, Names, Shared
from ops.migrate.census.sizes import Sizes
from ops.migrate.folder.source import FolderSource
from shared.ids import PhysicalWorkspace, WorkspaceName, physical_workspace

_ACTIVE = "SELECT generation FROM workspaces WHERE name = ? AND state = 'active'"
_DOCUMENTS = "SELECT count(*) FROM documents WHERE workspace = ? AND NOT deleted"


async def census_of_files(
    ledger: Path, rag_folder: Path, name: WorkspaceName, wanted: Names
) -> Census:
    """Look at a workspace in a folder.

    Args:
        ledger: the SQLite file; it may be missing.
        rag_folder: where LightRAG keeps its workspaces.
        name: of the workspace.
        wanted: names to be looked for.

    Raises:
        SourceUnreadableError: one of LightRAG's files is damaged.
    """
    physical, documents = listed_in_file(ledger, name)
    folder = rag_folder / (physical or name)
    sizes, shared = Sizes(), Shared()
    if folder.is_dir():
        async for operation in FolderSource(folder, as_written=True).operations():
            sizes.add(operation)
        shared.add("documents", sorted(wanted.documents & sizes.names.documents))
        shared.add("entities", sorted(wanted.entities & sizes.names.entities))
        relations = wanted.relations & sizes.names.relations
        shared.add("relations", [" – ".join(pair) for pair in sorted(relations)])
    amounts = {section: Amount(*amount) for section, amount in sizes.amounts.items()}
    return Census(physical, documents, amounts, shared.names, shared.counts)


def listed_in_file(ledger: Path, name: WorkspaceName) -> tuple[PhysicalWorkspace | None, int]:
    """Return the name of a workspace in its stores (None: there is none), and its documents."""
    if not ledger.exists():
        return None, 0
    # A ledger without tables was begun by somebody who was killed.
    with suppress(sqlite3.OperationalError), _opened(ledger) as connection:
        found = connection.execute(_ACTIVE, [name]).fetchone()
        if found is not None:
            (documents,) = connection.execute(_DOCUMENTS, [name]).fetchone()
            return physical_workspace(name, generation=found[0]), documents
    return None, 0


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file so that SQLite makes no files beside it."""
    with TemporaryDirectory() as folder:
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            # Newer than the file: SQLite would have to merge them, which it does in the copy.
            copied = Path(folder) / path.name
            shutil.copy(path, copied)
            shutil.copy(log, copied.with_name(log.name))
            with closing(sqlite3.connect(copied)) as connection:
                yield connection
            return
        address = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            yield connection
