"""Taking a workspace over: fence the last holder off, make every store hold what it should."""

from shared.errors import AppError
from shared.ledger.ledger import Ledger
from shared.ledger.records import CommitLease
from shared.logs import get_logger
from shared.rag.store_errors import translated_store_errors
from worker.commit.apply.store import Store
from worker.commit.apply.stores import Stores
from worker.leased import LeaseLostError

_log = get_logger(__name__)


class StoreAheadError(AppError):
    """A store holds commits that the ledger does not know; restore both from the same backup."""

    code = "store_ahead_of_ledger"


class StoreLostCommitsError(AppError):
    """A store lost commits that are no longer kept; restore it, or fill the workspace anew."""

    code = "store_lost_commits"


async def take_over(stores: Stores, lease: CommitLease, ledger: Ledger) -> None:
    """Bring all stores of a workspace to the state that the ledger promises.

    The fences come first: from then on nobody else changes what is read afterwards.

    Raises:
        FencedOffError: somebody took the lease after us.
        StoreAheadError, StoreLostCommitsError: a person has to look at it.
        StoreUnavailableError: a store is away.
    """
    with translated_store_errors():
        for store in stores.distinct:
            await store.raise_fence()
        unfinished = await ledger.journals.unfinished(lease.physical)
        last_seq = await ledger.journals.last_seq(lease.physical)
        newest_seq = last_seq if unfinished is None else unfinished.seq
        for store in stores.distinct:
            await _repair(store, stores, lease, last_seq=last_seq, newest_seq=newest_seq)
    if unfinished is not None:
        _log.warning("journal_replayed", workspace=lease.workspace, seq=unfinished.seq)
        await stores.apply_again(unfinished)
        if not await ledger.journals.close(lease, unfinished):
            raise LeaseLostError


async def _repair(
    store: Store, stores: Stores, lease: CommitLease, *, last_seq: int, newest_seq: int
) -> None:
    held_seq = await store.applied_seq()
    if held_seq > newest_seq:
        raise StoreAheadError
    if held_seq >= last_seq:
        return
    missing = await stores.ledger.journals.closed_after(lease.physical, held_seq)
    if [journal.seq for journal in missing] != list(range(held_seq + 1, last_seq + 1)):
        raise StoreLostCommitsError
    _log.warning(
        "store_repaired", workspace=lease.workspace, store=store.name, journals=len(missing)
    )
    await stores.repair(store, missing)
