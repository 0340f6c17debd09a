"""What changed in a workspace while it was read: its journals name it, the stores have it."""

from collections.abc import Sequence

from ops.migrate.errors import SourceChangedError
from ops.migrate.live.snapshot import CACHE, Snapshot
from ops.migrate.sections import SECTIONS, Key, keys_of
from ops.migrate.stores_source import PAGE, StoresSource, refuse
from ops.migrate.tally import section_of
from shared.ids import PhysicalWorkspace
from shared.ledger.ledger import Ledger
from worker.commit.encoding import decode
from worker.commit.operations import Operation
from worker.commit.replies import is_private

_SENTENCE = (
    "Commits that were made while the workspace was read are not known any more: the copy was held "
    "up for too long. Give the command again."
)


async def note_commits(
    ledger: Ledger, physical: PhysicalWorkspace, after_seq: int, snapshot: Snapshot
) -> tuple[int, int]:
    """Note the items that were committed after a journal.

    Returns:
        The number of the last journal, and how many there were.

    Raises:
        SourceChangedError: some of the journals are gone.
    """
    journals = await ledger.journals.closed_after(physical, after_seq)
    last_seq = after_seq + len(journals)
    if [journal.seq for journal in journals] != list(range(after_seq + 1, last_seq + 1)):
        raise SourceChangedError(_SENTENCE)
    for journal in journals:
        async for part in ledger.journals.parts(journal):
            for operation in decode(part):
                snapshot.items.touch(section_of(operation), keys_of(operation))
    return last_seq, len(journals)


async def read_new_replies(source: StoresSource, snapshot: Snapshot) -> None:
    """Read cached replies of models that were not there before: no journal tells of them.

    They are written while documents are extracted, once, and never changed. What the graph needs of
    them every chunk has in rows of its own, which are committed: those are left as they were.
    """
    async for page in source.ids(CACHE):
        if new := snapshot.items.unlisted(CACHE, page):
            for operation in (await source.read(CACHE, new)).operations:
                rows = [
                    [key, row]
                    for key, row in operation.rows
                    if not is_private(key, str(row.get("chunk_id")))
                ]
                snapshot.change(Operation(operation.kind, operation.storage, rows))


async def read_again(source: StoresSource, snapshot: Snapshot, *, is_final: bool) -> None:
    """Read what was noted, as it is now.

    Args:
        source: where it is.
        snapshot: where it was noted, and goes.
        is_final: whether nobody writes meanwhile.

    Raises:
        SourceUnreadableError: nobody writes, and yet something is there by half.
        StoreUnavailableError: a store is away.
    """
    for section in SECTIONS:
        for page in snapshot.items.touched(section, page=PAGE):
            found = await source.read(section, page)
            if is_final and found.half:
                refuse(section, found.half)
            _put(snapshot, section, found.missing + found.half)
            for operation in found.operations:
                snapshot.change(operation)


def _put(snapshot: Snapshot, section: str, gone: Sequence[Key]) -> None:
    if gone:
        snapshot.remove(section, gone)
