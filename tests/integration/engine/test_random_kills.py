"""kill -9 of fifty committers, one after the other, at moments that nobody chose."""

import os
import random
import signal
from collections import Counter
from dataclasses import dataclass

import pytest

from shared.ids import PhysicalWorkspace
from shared.ledger.records import TaskState
from tests.integration.engine.changes import (
    Changes,
    committed_groups,
    order_replies,
    repeat,
)
from tests.integration.engine.committer import Orders
from tests.integration.engine.disturbed import Committer
from tests.integration.engine.shapes import another_workspace
from tests.integration.engine.steps import held, rows_of
from tests.integration.worker.fleet import Fleet

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]
KILLS = 50
# A kill comes after so many steps of a committer (a group has some fifty), at once or a little
# later, when the step's request is under way.
STEPS = 80
LATER_S = 0.03
BACKLOG = 6


@pytest.fixture(scope="module")
def module_overrides() -> dict[str, str]:
    # Some groups each turn, and documents that are committed in slices.
    return {"COMMIT_MAX_CHUNKS": "3"}


@pytest.fixture
def chance() -> random.Random:
    """TEST_KILLS_SEED repeats what failed: which changes and, in steps, which moments."""
    seed = int(os.environ.get("TEST_KILLS_SEED", "20261124"))  # noqa: TID251 - tests may look
    print(f"TEST_KILLS_SEED={seed}")  # noqa: T201 - shown when the test fails
    return random.Random(seed)  # noqa: S311 - no secret


@dataclass(frozen=True)
class Left:
    """What is unfinished in a workspace."""

    journal: int | None
    """The number of the one that is written and not closed."""
    gathered: int
    """How many tasks the last holder had taken without writing a journal."""
    waiting: int
    """How many tasks have not ended."""


async def left_in(fleet: Fleet) -> Left:
    journal = await fleet.context.ledger.journals.unfinished(PhysicalWorkspace(fleet.workspace))
    rows = await rows_of(
        fleet,
        "SELECT state, commit_token = commit_leases.lease_token AS taken FROM tasks "
        "JOIN commit_leases USING (workspace) WHERE workspace = :ws",
    )
    return Left(
        journal=None if journal is None else journal.seq,
        gathered=sum(row.state == TaskState.READY and row.taken for row in rows),
        waiting=sum(not TaskState(row.state).is_final for row in rows),
    )


def what_was_hit(before: Left, after: Left) -> set[str]:
    """Tell what a killed committer left behind."""
    hit = set()
    if after.journal is not None:
        hit.add("replay" if after.journal == before.journal else "journal")
    if after.gathered:
        hit.add("group")
    return hit


async def kill_committers(
    fleet: Fleet, changes: Changes, committer: Committer, stores: dict[str, str]
) -> Counter[str]:
    """Let them work through changes until enough of them were killed; what was hit, how often."""
    hits: Counter[str] = Counter()
    while hits["kills"] < KILLS:
        before = await left_in(fleet)
        await changes.make(max(0, BACKLOG - before.waiting))
        delay_s = changes.chance.choice((0, changes.chance.uniform(0.001, LATER_S)))
        steps = changes.chance.randint(1, STEPS)
        await committer.begin(Orders(stores, fleet.workspace, steps=steps, delay_s=delay_s))
        hits["began"] += 1
        if (code := await committer.ended()) == -signal.SIGKILL:
            hits["kills"] += 1
            hits.update(what_was_hit(before, await left_in(fleet)))
        else:
            assert code == 0
        assert hits["began"] < 3 * KILLS, "most committers end before they are killed"
        await fleet.let_leases_expire()
    return hits


@pytest.mark.timeout(900)
async def test_what_fifty_killed_committers_began_is_finished_as_if_nothing_had_happened(
    guest: Fleet,
    stores: dict[str, str],
    committer: Committer,
    chance: random.Random,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order_replies(monkeypatch)
    changes = Changes(guest, chance)
    hits = await kill_committers(guest, changes, committer, stores)
    print(dict(hits), changes.kinds())  # noqa: T201 - likewise
    await guest.run_until_quiet()
    rows = await rows_of(guest, "SELECT state FROM tasks WHERE workspace = :ws")
    states = Counter(row.state for row in rows)
    assert states == {TaskState.SUCCEEDED: len(changes.by_task)}
    assert min(hits["journal"], hits["group"]) >= KILLS // 10, hits
    assert hits["replay"] > 0, hits
    assert min(changes.kinds().values()) > 0

    groups = [[changes.by_task[task] for task in group] for group in await committed_groups(guest)]
    assert sum(map(len, groups)) == len(changes.by_task)
    twin = await another_workspace(guest)
    await repeat(twin, groups)
    assert list(map(len, await committed_groups(twin))) == list(map(len, groups))
    found, expected = await held(guest, changes.kept), await held(twin, changes.kept)
    for part, value in vars(expected).items():
        assert vars(found)[part] == value, part
