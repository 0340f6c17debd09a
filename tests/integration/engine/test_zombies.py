"""A committer that is stopped, overtaken and woken again changes nothing in any store."""

import signal
from pathlib import Path

import pytest

from shared.ledger.records import TaskState
from tests.integration.engine.committer import KINDS, POINTS, Orders
from tests.integration.engine.contents import Contents
from tests.integration.engine.disturbed import (
    after_the_commit,
    before_the_commit,
    contents,
    start_committer,
    states,
)
from tests.integration.engine.shapes import another_workspace
from tests.integration.worker.fleet import Fleet

# One for each way of writing, and the last moment; the others are in the long tests.
SHORT = ["put_rows", "put_edges", "put_vectors", "close"]
DOCUMENTS = ("stays", "changes", "new", "last")


@pytest.fixture
def shape() -> str:
    return "neo4j"


@pytest.fixture
def overrides() -> dict[str, str]:
    # A store ends what a stopped holder left open after half of it.
    return {"TASK_LEASE_S": "4"}


async def overtake_and_wake(fleet: Fleet, orders: Orders, log: Path) -> tuple[Contents, Contents]:
    """Stop a holder, commit more, wake it; what the stores hold before and after it woke."""
    committer = start_committer(orders, log)
    await committer.reached()
    await fleet.let_leases_expire()
    await fleet.commit()
    await after_the_commit(fleet)
    assert await states(fleet) == {TaskState.SUCCEEDED}
    before = await contents(fleet, DOCUMENTS)
    committer.wake()
    await committer.ended()
    return before, await contents(fleet, DOCUMENTS)


@pytest.mark.parametrize(
    "point",
    [point if point in SHORT else pytest.param(point, marks=pytest.mark.long) for point in POINTS],
)
async def test_a_stopped_holder_that_wakes_up_writes_nothing(
    fleet: Fleet, variables: dict[str, str], point: str, tmp_path: Path
) -> None:
    undisturbed = await another_workspace(fleet)
    for one in (undisturbed, fleet):
        await before_the_commit(one)
    await undisturbed.commit()
    await after_the_commit(undisturbed)
    orders = Orders(variables, fleet.workspace, point, signal.SIGSTOP)
    before, after = await overtake_and_wake(fleet, orders, tmp_path / "committer.log")
    assert after == before
    assert after == await contents(undisturbed, DOCUMENTS)


@pytest.mark.parametrize(
    "point",
    [
        point if point in SHORT else pytest.param(point, marks=pytest.mark.long)
        for point in KINDS
        if point in {"put_rows", "put_edges"}
    ],
)
async def test_without_the_fences_it_would(
    fleet: Fleet, variables: dict[str, str], point: str, tmp_path: Path
) -> None:
    await before_the_commit(fleet)
    orders = Orders(variables, fleet.workspace, point, signal.SIGSTOP, fenced=False)
    before, after = await overtake_and_wake(fleet, orders, tmp_path / "committer.log")
    assert after != before
