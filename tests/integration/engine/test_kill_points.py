"""kill -9 of the committer at every step of a commit: the next one finishes it, to the letter."""

import signal
from pathlib import Path

import pytest

from shared.ledger.records import TaskState
from tests.integration.engine.committer import POINTS, Orders
from tests.integration.engine.disturbed import (
    before_the_commit,
    contents,
    start_committer,
    states,
)
from tests.integration.engine.shapes import another_workspace
from tests.integration.worker.fleet import Fleet


@pytest.fixture
def shape() -> str:
    return "neo4j"


@pytest.mark.parametrize("point", POINTS)
async def test_what_a_killed_committer_began_is_finished_as_if_nothing_had_happened(
    fleet: Fleet, variables: dict[str, str], point: str, tmp_path: Path
) -> None:
    undisturbed = await another_workspace(fleet)
    for one in (undisturbed, fleet):
        await before_the_commit(one)
    await undisturbed.commit()
    orders = Orders(variables, fleet.workspace, point, signal.SIGKILL)
    committer = start_committer(orders, tmp_path / "committer.log")
    await committer.reached()
    assert await committer.ended() == -signal.SIGKILL
    await fleet.let_leases_expire()
    await fleet.commit()
    assert await states(fleet) == {TaskState.SUCCEEDED}
    assert await contents(fleet) == await contents(undisturbed)
