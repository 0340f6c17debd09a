"""Many actors at once, doing everything there is to do: the laws hold after every round."""

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from shared.errors import AppError
from shared.ids import DEFAULT_WORKSPACE, DocumentId, TaskId
from shared.ledger.ledger import Ledger
from shared.ledger.records import (
    Claim,
    CommitLease,
    DoneBatch,
    GroupBounds,
    Journal,
    NewBatch,
    Outcome,
    Task,
    TaskKind,
    TaskState,
)
from tests.contract.ledger.steps import GONE_MS, LONG_MS, Steps, an_upload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DOCUMENTS = ("a", "b", "c")
ROUNDS = 25
ACTORS = 8
LAWS = {
    "two open revisions of one document": (
        "SELECT count(*) FROM (SELECT 1 FROM tasks WHERE state IN"
        " ('queued', 'preparing', 'extracting', 'ready') GROUP BY doc_id HAVING count(*) > 1) x"
    ),
    "two open journals of one workspace": (
        "SELECT count(*) FROM (SELECT 1 FROM journals WHERE closed_at_ms IS NULL"
        " GROUP BY physical HAVING count(*) > 1) x"
    ),
    "a committing task that no journal, no slice and no removal explains": (
        "SELECT count(*) FROM tasks t WHERE state = 'committing' AND committed_chunks = 0"
        " AND kind <> 'drop_workspace' AND NOT EXISTS (SELECT 1 FROM journals j WHERE"
        " j.physical = t.physical AND closed_at_ms IS NULL)"
    ),
    "a slice of a task that is not being committed": (
        "SELECT count(*) FROM tasks WHERE committed_chunks > 0 AND state NOT IN"
        " ('committing', 'succeeded')"
    ),
    "a document in the graph of which a newer revision is half there": (
        "SELECT count(*) FROM tasks t JOIN documents d ON d.doc_id = t.doc_id"
        " WHERE t.state = 'committing' AND t.committed_chunks > 0 AND d.committed_revision > 0"
    ),
    "two revisions of one document being committed": (
        "SELECT count(*) FROM (SELECT 1 FROM tasks WHERE state = 'committing'"
        " GROUP BY doc_id HAVING count(*) > 1) x"
    ),
    "a document that does not point to its newest revision": (
        "SELECT count(*) FROM documents d WHERE latest_revision <>"
        " (SELECT max(revision) FROM tasks t WHERE t.doc_id = d.doc_id)"
        " OR latest_task_id <> (SELECT id FROM tasks t WHERE t.doc_id = d.doc_id"
        " AND t.revision = d.latest_revision)"
    ),
    "an open task that is not the newest revision": (
        "SELECT count(*) FROM tasks t JOIN documents d ON d.doc_id = t.doc_id WHERE t.state IN"
        " ('queued', 'preparing', 'extracting', 'ready') AND t.revision <> d.latest_revision"
    ),
    "a committed revision that did not succeed": (
        "SELECT count(*) FROM documents d WHERE committed_revision > 0 AND NOT EXISTS"
        " (SELECT 1 FROM tasks t WHERE t.id = d.committed_task_id AND t.state = 'succeeded'"
        " AND t.revision = d.committed_revision)"
    ),
    "a counter that does not count the open batches": (
        "SELECT count(*) FROM tasks t WHERE state = 'extracting' AND (open_batches < 1 OR"
        " open_batches <> (SELECT count(*) FROM batches b WHERE b.task_id = t.id"
        " AND b.prepare_attempt = t.prepare_attempt AND NOT b.done))"
    ),
    "a ready task that lacks results": (
        "SELECT count(*) FROM tasks t JOIN batches b ON b.task_id = t.id AND"
        " b.prepare_attempt = t.prepare_attempt WHERE t.state IN ('ready', 'committing')"
        " AND NOT b.done"
    ),
    "more chunks done than there are": (
        "SELECT count(*) FROM tasks WHERE chunks_total IS NOT NULL AND chunks_done > chunks_total"
    ),
    "an end without a time, or a time without an end": (
        "SELECT count(*) FROM tasks WHERE (finished_at_ms IS NULL) <> (state NOT IN"
        " ('succeeded', 'failed', 'cancelled', 'superseded'))"
    ),
    "a wish to cancel that nobody will see": (
        "SELECT count(*) FROM tasks WHERE cancel_requested AND state <> 'preparing'"
    ),
    "an open task that neither sweeper nor committer would find": (
        "SELECT count(*) FROM tasks t WHERE (state = 'preparing' AND lease_until_ms IS NULL)"
        " OR (state IN ('ready', 'committing') AND ready_at_ms IS NULL)"
    ),
}

BROKEN_LAWS = " UNION ALL ".join(f"SELECT '{law}' WHERE ({sql}) > 0" for law, sql in LAWS.items())


class Actor:
    """Does something random, often with a claim that is not valid any more."""

    def __init__(self, ledger: Ledger, chance: random.Random) -> None:
        self.ledger = ledger
        self.chance = chance
        self.claims: list[Claim] = []
        self.leases: list[CommitLease] = []
        self.deeds: list[Callable[[], Awaitable[object]]] = [
            self.upload, self.upload, self.delete, self.cancel, self.retry, self.prepare,
            self.prepare, self.hand_on, self.hand_on, self.give_up, self.extract, self.extract,
            self.extract, self.commit, self.commit, self.commit, self.sweep,
        ]  # fmt: skip

    async def act(self) -> None:
        try:
            await self.chance.choice(self.deeds)()
        except AppError as error:
            if error.outage:  # a deadlock, a lost connection: no refusal, but a failure of ours
                raise

    async def upload(self) -> None:
        content = str(self.chance.randrange(1000))
        key = self.chance.choice([None, content])
        doc_id = self.chance.choice(DOCUMENTS)
        await self.ledger.documents.accept(an_upload(doc_id, content=content, key=key))

    async def delete(self) -> None:
        doc_id = DocumentId(self.chance.choice(DOCUMENTS))
        await self.ledger.documents.request_delete(DEFAULT_WORKSPACE, doc_id, request_id=None)

    async def cancel(self) -> None:
        await self.ledger.tasks.request_cancel(await self.some_task())

    async def retry(self) -> None:
        await self.ledger.tasks.retry(await self.some_task())

    async def prepare(self) -> None:
        task_id = await self.some_task()
        claim = await self.ledger.tasks.claim(task_id, holder="w", ttl_ms=self.some_ttl())
        if claim is not None:
            self.claims.append(claim)

    async def hand_on(self) -> None:
        claim = self.chance.choice(self.claims or [None])
        if claim is None:
            return
        if self.chance.random() < 0.3:
            done = [DoneBatch(index=0, chunk_count=1, chunks=b"c", result=b"r")]
            await self.ledger.tasks.make_ready(claim, batches_done=done)
        else:
            new = [NewBatch(index=n, chunk_count=2, chunks=b"c") for n in range(3)]
            await self.ledger.tasks.start_extracting(claim, batches=new)

    async def give_up(self) -> None:
        claim = self.chance.choice(self.claims or [None])
        if claim is None:
            return
        tasks = self.ledger.tasks
        what = self.chance.randrange(4)
        if what == 0:
            await tasks.fail(claim, error_code="x", error_detail="x")
        elif what == 1:
            await tasks.confirm_cancel(claim)
        elif what == 2:
            await tasks.renew(claim, ttl_ms=self.some_ttl())
        else:
            await tasks.postpone(claim, delay_ms=0, error_code="x", error_detail="x", strike=True)

    async def extract(self) -> None:
        for key in await self.ledger.batches.unsent(older_than_ms=0, limit=2):
            claim = await self.ledger.batches.claim(
                key.task_id, key.prepare_attempt, index=key.index, holder="w",
                ttl_ms=self.some_ttl(),
            )  # fmt: skip
            if claim is None:
                continue
            if self.chance.random() < 0.1:
                await self.ledger.batches.postpone(
                    claim, delay_ms=0, error_code="x", error_detail="x", strike=True
                )
            await asyncio.gather(*(self.ledger.batches.finish(claim, result=b"r") for _ in "ab"))

    async def commit(self) -> None:
        lease = await self.ledger.workspaces.take_commit_lease(
            DEFAULT_WORKSPACE, holder="c", ttl_ms=GONE_MS
        )
        if lease is not None:
            self.leases.append(lease)
        lease = self.chance.choice(self.leases[-3:] or [None])
        if lease is None:
            return
        # As every holder does first; one that lost its lease meanwhile changes nothing with it.
        unfinished = await self.ledger.journals.unfinished(lease.physical)
        if unfinished is not None and not await self.close(lease, unfinished):
            return
        bounds = GroupBounds(tasks=self.chance.choice([1, 2, 9]), chunks=9)
        group = await self.ledger.tasks.gather_commits(lease, bounds)
        if group and self.chance.random() < 0.9:
            await self.end_commit(lease, group)

    async def end_commit(self, lease: CommitLease, group: list[Task]) -> None:
        tasks = self.ledger.tasks
        ids = [task.id for task in group]
        what = self.chance.random()
        if what < 0.1:
            await tasks.postpone_commits(
                lease, ids, delay_ms=0, error_code="x", error_detail="x", strike=True
            )
        elif what < 0.2:
            await tasks.hand_commits_back(lease, ids)
        elif what < 0.3 and not group[0].committed_chunks:
            await tasks.fail_commit(lease, ids[0], error_code="x", error_detail="x")
        else:
            await self.write(lease, group)

    async def write(self, lease: CommitLease, group: list[Task]) -> None:
        outcome = Outcome(succeeded=[task.id for task in group])
        if len(group) == 1 and group[0].kind is TaskKind.INSERT and self.chance.random() < 0.5:
            half = {group[0].id: group[0].committed_chunks + 1}
            outcome = Outcome(advanced=half)
            if group[0].committed_chunks and self.chance.random() < 0.3:
                outcome = Outcome(failed={group[0].id: ("x", "x")})
        journal = await self.ledger.journals.write(lease, outcome, [b"p"])
        if journal is not None and self.chance.random() < 0.8:
            await self.close(lease, journal)

    async def close(self, lease: CommitLease, journal: Journal) -> bool:
        close = self.ledger.journals.close
        return all(await asyncio.gather(*(close(lease, journal) for _ in "ab")))

    async def sweep(self) -> None:
        await self.ledger.tasks.expire_leases(max_strikes=3, limit=10)
        await self.ledger.batches.expire_leases(max_strikes=3, limit=10)
        await self.ledger.tasks.remove_old(ended_before_ms=0, limit=10)
        await self.ledger.journals.remove_old(closed_for_ms=0, limit=3)

    async def some_task(self) -> TaskId:
        newest = (await self.ledger.tasks.page(limit=8)).rows
        return self.chance.choice(newest).id if newest else TaskId("task-none")

    def some_ttl(self) -> int:
        return self.chance.choice([GONE_MS, LONG_MS, LONG_MS])


@pytest.mark.parametrize("seed", range(3))
async def test_the_laws_hold_whatever_happens_at_once(
    ledger: Ledger, steps: Steps, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible mix, no secret
    actors = [Actor(ledger, random.Random(chance.random())) for _ in range(ACTORS)]  # noqa: S311
    ended: dict[TaskId, TaskState] = {}
    for _ in range(ROUNDS):
        before = ended
        await asyncio.gather(*(actor.act() for actor in actors))
        assert await steps.texts(BROKEN_LAWS) == []
        everything = (await ledger.tasks.page(limit=1000)).rows
        ended = {task.id: task.state for task in everything if task.state.is_final}
        _expect_ends_to_last(before, {task.id: task.state for task in everything})
    await _drain(ledger, steps)


def _expect_ends_to_last(before: dict[TaskId, TaskState], now: dict[TaskId, TaskState]) -> None:
    retryable = {TaskState.FAILED, TaskState.CANCELLED}
    assert {
        task_id: state
        for task_id, state in before.items()
        if now[task_id] is not state and state not in retryable
    } == {}


async def _drain(ledger: Ledger, steps: Steps) -> None:
    """Finish everything with nothing but what the sweeper and the committer are shown."""
    async with ledger.database.writing() as connection:  # every living worker dies now
        await connection.exec_driver_sql(
            "UPDATE tasks SET lease_until_ms = 0 WHERE lease_until_ms > 0"
        )
        await connection.exec_driver_sql(
            "UPDATE batches SET lease_until_ms = 0 WHERE lease_until_ms > 0"
        )
    await ledger.tasks.expire_leases(max_strikes=99, limit=100)
    await ledger.batches.expire_leases(max_strikes=99, limit=100)
    for task in await ledger.tasks.unsent(older_than_ms=0, limit=100):
        await steps.made_ready(await steps.claim(task.id))
    for key in await ledger.batches.unsent(older_than_ms=0, limit=100):
        claim = await steps.batch(await ledger.tasks.get(key.task_id), key.index)
        await ledger.batches.finish(claim, result=b"r")
    if await ledger.workspaces.awaiting_commit(limit=1):
        await steps.commit_all()
    open_tasks = [
        (task.id, task.state, task.kind)
        for task in (await ledger.tasks.page(limit=1000)).rows
        if not task.state.is_final
    ]
    assert open_tasks == []
    counts = await ledger.tasks.counts()
    assert sum(counts.values()) > ROUNDS
    assert TaskKind.DELETE in {task.kind for task in (await ledger.tasks.page(limit=1000)).rows}
