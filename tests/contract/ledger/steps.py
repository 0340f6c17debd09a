"""Short cuts that bring a task to the state a test starts from."""

from dataclasses import dataclass

from sqlalchemy import text

from shared.ids import DEFAULT_WORKSPACE, DocumentId, ObjectKey, TaskId, WorkspaceName
from shared.ledger.ledger import Ledger
from shared.ledger.records import (
    BatchClaim,
    Claim,
    CommitLease,
    DoneBatch,
    NewBatch,
    NewUpload,
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

    async def ready(self, doc_id: str = "doc", *, content: str = "one") -> Task:
        claim = await self.preparing(doc_id, content=content)
        return await self.made_ready(claim)

    async def made_ready(self, claim: Claim) -> Task:
        done = [DoneBatch(index=0, chunk_count=3, chunks=b"c", result=b"r")]
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

    async def committing(
        self, doc_id: str = "doc", *, content: str = "one"
    ) -> tuple[CommitLease, Task]:
        task = await self.ready(doc_id, content=content)
        lease = await self.lease()
        claimed = await self.ledger.tasks.claim_commit(lease)
        assert claimed is not None
        assert claimed.id == task.id
        return lease, claimed

    async def committed(self, doc_id: str = "doc", *, content: str = "one") -> Task:
        lease, task = await self.committing(doc_id, content=content)
        assert await self.ledger.tasks.finish_commit(lease, task.id, chunks=3)
        await self.ledger.workspaces.release_commit_lease(lease)
        return await self.ledger.tasks.get(task.id)

    async def commit_all(self, workspace: str = DEFAULT_WORKSPACE) -> None:
        lease = await self.lease(workspace)
        while (task := await self.ledger.tasks.claim_commit(lease)) is not None:
            assert await self.ledger.tasks.finish_commit(lease, task.id, chunks=3)
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
