"""Short cuts that bring a task to the state a test starts from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from shared.ids import DEFAULT_WORKSPACE, DocumentId, ObjectKey, TaskId, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import (
    BatchClaim,
    Claim,
    CommitLease,
    DoneBatch,
    GroupBounds,
    Journal,
    NewBatch,
    NewUpload,
    Outcome,
    Task,
    TaskState,
)

LONG_MS = 60_000
GONE_MS = 0
"""A lease of this length is over as soon as it is taken."""


def an_upload(
    doc_id: str = "doc",
    *,
    content: str = "one",
    key: str | None = None,
    workspace: str = DEFAULT_WORKSPACE,
) -> NewUpload:
    return NewUpload(
        workspace=WorkspaceName(workspace),
        doc_id=DocumentId(doc_id),
        object_key=ObjectKey(f"uploads/{doc_id}/{content}"),
        file_name=f"{doc_id}.txt",
        content_type="text/plain",
        size_bytes=len(content),
        sha256=f"sha of {content}",
        idempotency_key=key,
        request_id="request",
    )


@dataclass(frozen=True)
class Steps:
    ledger: Ledger

    async def queued(self, doc_id: str = "doc", *, content: str = "one") -> Task:
        accepted = await self.ledger.documents.accept(an_upload(doc_id, content=content))
        assert accepted.created
        return accepted.task

    async def claim(self, task_id: TaskId, *, ttl_ms: int = LONG_MS) -> Claim:
        claim = await self.ledger.tasks.claim(task_id, holder="worker", ttl_ms=ttl_ms)
        assert claim is not None
        return claim

    async def preparing(
        self, doc_id: str = "doc", *, content: str = "one", ttl_ms: int = LONG_MS
    ) -> Claim:
        task = await self.queued(doc_id, content=content)
        return await self.claim(task.id, ttl_ms=ttl_ms)

    async def extracting(
        self, doc_id: str = "doc", *, content: str = "one", batches: int = 2
    ) -> Task:
        claim = await self.preparing(doc_id, content=content)
        new = [NewBatch(index=index, chunk_count=3, chunks=b"c") for index in range(batches)]
        assert await self.ledger.tasks.start_extracting(claim, batches=new)
        return await self.ledger.tasks.get(claim.task.id)

    async def batch(self, task: Task, index: int, *, ttl_ms: int = LONG_MS) -> BatchClaim:
        claim = await self.ledger.batches.claim(
            task.id, task.prepare_attempt, index=index, holder="worker", ttl_ms=ttl_ms
        )
        assert claim is not None
        return claim

    async def ready(self, doc_id: str = "doc", *, content: str = "one", chunks: int = 3) -> Task:
        claim = await self.preparing(doc_id, content=content)
        return await self.made_ready(claim, chunks=chunks)

    async def several_ready(self, *doc_ids: str, chunks: int = 3) -> list[Task]:
        """Tasks that became ready one millisecond after the other."""
        tasks = [await self.ready(doc_id, chunks=chunks) for doc_id in doc_ids]
        async with self.ledger.database.writing() as connection:
            for number, task in enumerate(tasks):
                await connection.execute(
                    text("UPDATE tasks SET ready_at_ms = :at WHERE id = :id"),
                    {"at": number + 1, "id": task.id},
                )
        return tasks

    async def made_ready(self, claim: Claim, *, chunks: int = 3) -> Task:
        done = [DoneBatch(index=0, chunk_count=chunks, chunks=b"c", result=b"r")]
        assert await self.ledger.tasks.make_ready(claim, batches_done=done)
        return await self.ledger.tasks.get(claim.task.id)

    async def lease(
        self, workspace: str = DEFAULT_WORKSPACE, *, ttl_ms: int = LONG_MS
    ) -> CommitLease:
        lease = await self.ledger.workspaces.take_commit_lease(
            WorkspaceName(workspace), holder="committer", ttl_ms=ttl_ms
        )
        assert lease is not None
        return lease

    async def gather(
        self, lease: CommitLease, *, tasks: int = 100, chunks: int = 1000
    ) -> list[Task]:
        return await self.ledger.tasks.gather_commits(
            lease, GroupBounds(tasks=tasks, chunks=chunks)
        )

    async def gathered(
        self, doc_id: str = "doc", *, content: str = "one"
    ) -> tuple[CommitLease, Task]:
        """A task that its committer has chosen and not written down yet."""
        task = await self.ready(doc_id, content=content)
        lease = await self.lease()
        [chosen] = await self.gather(lease)
        assert chosen.id == task.id
        return lease, chosen

    async def journal(
        self, lease: CommitLease, *tasks: Task, parts: Sequence[bytes] = (b"p",)
    ) -> Journal:
        """The journal of tasks that succeed with it."""
        outcome = Outcome(succeeded=[task.id for task in tasks])
        journal = await self.ledger.journals.write(lease, outcome, parts)
        assert journal is not None
        return journal

    async def committing(
        self, doc_id: str = "doc", *, content: str = "one"
    ) -> tuple[CommitLease, Task, Journal]:
        lease, chosen = await self.gathered(doc_id, content=content)
        journal = await self.journal(lease, chosen)
        return lease, await self.ledger.tasks.get(chosen.id), journal

    async def committed(self, doc_id: str = "doc", *, content: str = "one") -> Task:
        lease, task, journal = await self.committing(doc_id, content=content)
        assert await self.ledger.journals.close(lease, journal)
        await self.ledger.workspaces.release_commit_lease(lease)
        return await self.ledger.tasks.get(task.id)

    async def advanced(
        self, doc_id: str = "doc", *, content: str = "one", chunks: int = 2
    ) -> tuple[CommitLease, Task]:
        """A document of which the first chunks are in the graph."""
        lease, task = await self.gathered(doc_id, content=content)
        await self.advance(lease, task, chunks=chunks)
        return lease, await self.ledger.tasks.get(task.id)

    async def advance(self, lease: CommitLease, task: Task, *, chunks: int) -> None:
        outcome = Outcome(advanced={task.id: chunks})
        journal = await self.ledger.journals.write(lease, outcome, [b"slice"])
        assert journal is not None
        assert await self.ledger.journals.close(lease, journal)

    async def postpone(self, lease: CommitLease, *tasks: Task, delay_ms: int = 0) -> None:
        await self.ledger.tasks.postpone_commits(
            lease,
            [task.id for task in tasks],
            delay_ms=delay_ms,
            error_code="store_away",
            error_detail="The store is away.",
            strike=True,
        )

    async def commit_all(self, workspace: str = DEFAULT_WORKSPACE) -> None:
        lease = await self.lease(workspace)
        if journal := await self.ledger.journals.unfinished(lease.physical):
            assert await self.ledger.journals.close(lease, journal)
        while tasks := await self.gather(lease):
            journal = await self.journal(lease, *tasks)
            assert await self.ledger.journals.close(lease, journal)
        await self.ledger.workspaces.release_commit_lease(lease)

    async def state(self, task_id: TaskId) -> TaskState:
        return (await self.ledger.tasks.get(task_id)).state

    async def count(self, sql: str) -> int:
        """Look past the interface, at the rows themselves."""
        async with self.ledger.database.reading() as connection:
            found: int = (await connection.execute(text(sql))).scalar_one()
        return found

    async def texts(self, sql: str) -> list[str]:
        """Look past the interface, at one column of text."""
        async with self.ledger.database.reading() as connection:
            return list((await connection.execute(text(sql))).scalars())
