"""What a committer holds while it has a workspace's lease."""

from dataclasses import dataclass

from lightrag import LightRAG

from shared.ledger.records import CommitLease
from worker.commit.apply.stores import Stores
from worker.commit.heartbeat import Heartbeat
from worker.context import WorkerContext


@dataclass(frozen=True)
class Session:
    """One turn at one workspace."""

    context: WorkerContext
    lease: CommitLease
    rag: LightRAG
    stores: Stores
    heartbeat: Heartbeat
