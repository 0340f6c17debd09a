"""kill -9 of the committer at every step of a commit: the next one finishes it, to the letter."""

import signal

import pytest
import pytest_asyncio
from lightrag.kg.shared_storage import finalize_share_data

from shared.ids import PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.committer import Orders
from tests.integration.engine.disturbed import (
    AFTER_THE_SECOND,
    Committer,
    Undisturbed,
    at_every_point,
    before_the_commit,
    contents,
    states,
    undisturbed_in,
)
from tests.integration.worker.fleet import Fleet

# Around each promise and in each kind of store; the others are in the long tests.
SHORT = ["journal.write", "journal.written", "put_rows", "put_edges", "remove_vectors", "close"]
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(
        "stores",
        [
            "neo4j",
            *(pytest.param(shape, marks=pytest.mark.long) for shape in ("postgres", "valkey")),
            pytest.param("files", marks=pytest.mark.long),
        ],
        indirect=True,
        scope="module",
    ),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(tier: Fleet) -> Undisturbed:
    return await undisturbed_in(tier)


async def forget_files(fleet: Fleet) -> None:
    """Forget what LightRAG holds of its files in memory, as a fresh process would."""
    await fleet.context.rags.forget(PhysicalWorkspace(fleet.workspace))
    finalize_share_data()


@at_every_point(short=SHORT)
async def test_what_a_killed_committer_began_is_finished_as_if_nothing_had_happened(
    guest: Fleet,
    stores: dict[str, str],
    undisturbed: Undisturbed,
    committer: Committer,
    point: str,
) -> None:
    await before_the_commit(guest)
    await committer.begin(Orders(stores, guest.workspace, point, signal.SIGKILL))
    await committer.reached()
    assert await committer.ended() == -signal.SIGKILL
    if not guest.context.settings.external:
        await forget_files(guest)
    await guest.let_leases_expire()
    await guest.commit()
    assert await states(guest) == {TaskState.SUCCEEDED}
    assert await contents(guest, AFTER_THE_SECOND) == undisturbed.after_the_second
