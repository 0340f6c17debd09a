"""A committer that is stopped, overtaken and woken again changes nothing in any store."""

import signal
from dataclasses import replace

import pytest
import pytest_asyncio
from lightrag import LightRAG

from shared.ledger.records import CommitLease, TaskState
from tests.integration.engine.committer import Orders
from tests.integration.engine.contents import Contents
from tests.integration.engine.disturbed import (
    AFTER_THE_THIRD,
    Committer,
    Undisturbed,
    after_the_commit,
    at_every_point,
    before_the_commit,
    contents,
    states,
    undisturbed_in,
)
from tests.integration.engine.steps import opened
from tests.integration.worker.fleet import Fleet
from worker.commit.apply.store import FencedOffError, Store
from worker.commit.apply.stores import Stores, open_stores
from worker.commit.operations import Kind, Operation
from worker.commit.unit_of_work.unit import GRAPH_STORAGE, STATUS_STORAGE

pytestmark = pytest.mark.asyncio(loop_scope="module")
# One for each way of writing, and the last moment; the others are in the long tests.
SHORT = ["put_rows", "put_edges", "put_vectors", "close"]
REMOVALS = {
    "postgres": Operation(Kind.REMOVE_STATUS, STATUS_STORAGE, ["none"]),
    "redis": Operation(Kind.REMOVE_ROWS, "full_docs", ["none"]),
    "neo4j": Operation(Kind.REMOVE_NODES, GRAPH_STORAGE, ["none"]),
}
"""By store, something that it would do for the holder of the lease."""


@pytest.fixture(scope="module")
def module_overrides() -> dict[str, str]:
    # A store ends what a stopped holder left open after half of it.
    return {"TASK_LEASE_S": "4"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(tier: Fleet) -> Undisturbed:
    return await undisturbed_in(tier)


async def overtake_and_wake(fleet: Fleet, committer: Committer) -> tuple[Contents, Contents]:
    """Commit more than a stopped holder, wake it; what the stores hold before and after that."""
    await committer.reached()
    await fleet.let_leases_expire()
    await fleet.commit()
    await after_the_commit(fleet)
    assert await states(fleet) == {TaskState.SUCCEEDED}
    before = await contents(fleet, AFTER_THE_THIRD)
    committer.wake()
    assert await committer.ended() == 0
    return before, await contents(fleet, AFTER_THE_THIRD)


@at_every_point(short=SHORT)
async def test_a_stopped_holder_that_wakes_up_writes_nothing(
    guest: Fleet,
    stores: dict[str, str],
    undisturbed: Undisturbed,
    committer: Committer,
    point: str,
) -> None:
    await before_the_commit(guest)
    await committer.begin(Orders(stores, guest.workspace, point, signal.SIGSTOP, beating=False))
    before, after = await overtake_and_wake(guest, committer)
    assert after == before
    assert after == undisturbed.after_the_third


@pytest.mark.parametrize("point", ["put_rows", "put_edges", "put_vectors"])
async def test_without_the_fences_the_woken_one_changes_something(
    guest: Fleet, stores: dict[str, str], committer: Committer, point: str
) -> None:
    await before_the_commit(guest)
    # Nor may the stores end its open transactions.
    patient = stores | {"TASK_LEASE_S": "120"}
    await committer.begin(
        Orders(patient, guest.workspace, point, signal.SIGSTOP, fenced=False, beating=False)
    )
    before, after = await overtake_and_wake(guest, committer)
    assert after != before


def _stores(rag: LightRAG, lease: CommitLease, fleet: Fleet) -> Stores:
    context = fleet.context
    return open_stores(
        rag, lease, context.ledger, lease_ms=context.lease_ms, on_progress=lambda: None
    )


async def overtaken(fleet: Fleet, lease: CommitLease) -> list[Store]:
    """The stores as a holder sees them whose successor has come to every one of them."""
    async with opened(fleet) as rag:
        old = _stores(rag, lease, fleet)
        newer = replace(lease, token=lease.token + 1)
        for store in _stores(rag, newer, fleet).distinct:
            await store.raise_fence()
    return old.distinct


async def test_who_was_overtaken_writes_nothing_into_any_store_and_notes_no_journal(
    guest: Fleet,
) -> None:
    workspaces = guest.context.ledger.workspaces
    lease = await workspaces.take_commit_lease(guest.workspace, holder="one", ttl_ms=60_000)
    assert lease is not None
    await guest.let_leases_expire()
    assert await workspaces.take_commit_lease(guest.workspace, holder="two", ttl_ms=60_000)
    stores = await overtaken(guest, lease)
    assert {store.name for store in stores} == REMOVALS.keys()
    for store in stores:
        with pytest.raises(FencedOffError):
            await store.apply(REMOVALS[store.name])
        with pytest.raises(FencedOffError):
            await store.finish(7)
        assert await store.applied_seq() == 0
        if store.name != "postgres":  # taking the lease raises that one
            with pytest.raises(FencedOffError):
                await store.raise_fence()


async def test_every_store_notes_the_last_journal_that_it_holds(guest: Fleet) -> None:
    await before_the_commit(guest)
    lease = await guest.context.ledger.workspaces.take_commit_lease(
        guest.workspace, holder="one", ttl_ms=60_000
    )
    assert lease is not None
    assert [await store.applied_seq() for store in await overtaken(guest, lease)] == [1, 1, 1]
