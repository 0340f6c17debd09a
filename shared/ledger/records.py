"""The ledger's rows as values, and the states they go through."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from shared.graph_edits import GraphEdit
from shared.ids import DocumentId, ObjectKey, PhysicalWorkspace, TaskId, WorkspaceName

Row = TypeVar("Row")


class TaskKind(StrEnum):
    """What a task does to its workspace."""

    INSERT = "insert"
    DELETE = "delete"
    EDIT = "edit"
    DROP_WORKSPACE = "drop_workspace"


class TaskState(StrEnum):
    """Where a task stands; see docs/architecture.md for the picture."""

    QUEUED = "queued"
    PREPARING = "preparing"
    EXTRACTING = "extracting"
    READY = "ready"
    COMMITTING = "committing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen to the task by itself any more."""
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.SUPERSEDED}
)
CANCELLABLE_STATES = frozenset(
    {TaskState.QUEUED, TaskState.PREPARING, TaskState.EXTRACTING, TaskState.READY}
)


@dataclass(frozen=True)
class Workspace:
    """One workspace; `physical` is its name inside LightRAG's stores."""

    name: WorkspaceName
    generation: int
    physical: PhysicalWorkspace
    embedding_model: str | None
    embedding_dim: int | None
    created_at_ms: int
    documents: int = 0
    paused: bool = False
    committing: bool = False
    """Like the two before it, it is looked up only where workspaces are shown."""


@dataclass(frozen=True)
class Task:
    """One revision's (or deletion's) way through the stages. Times are Unix milliseconds."""

    id: TaskId
    workspace: WorkspaceName
    physical: PhysicalWorkspace
    kind: TaskKind
    doc_id: DocumentId | None
    revision: int
    state: TaskState
    attempt: int
    """1 and what failed, got lost or was handed back before; 0 before the start.

    It never goes back, not even by a retry. Attempts at a batch count for that batch alone.
    """
    strikes: int
    """How many attempts since the last progress ended in a crash or an unforeseen error."""
    lease_token: int
    cancel_requested: bool
    chunks_total: int | None
    chunks_done: int
    object_key: ObjectKey | None
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    error_code: str | None
    error_detail: str | None
    created_at_ms: int
    updated_at_ms: int
    started_at_ms: int | None
    """When work on it first began; a retry clears it, so it is where a time budget starts."""
    finished_at_ms: int | None
    next_attempt_at_ms: int | None
    prepare_attempt: int
    """The claim (its lease's token) whose batches count; older batches are dead."""
    committed_chunks: int
    """How many of its first chunks are in the graph while a large document is committed."""
    request_id: str | None
    trace_parent: str | None
    """W3C's name of the request that it came from, while traces are written."""
    edit: GraphEdit | None


@dataclass(frozen=True)
class Document:
    """What is known of one document id; `committed_revision` 0 means not in the graph."""

    workspace: WorkspaceName
    doc_id: DocumentId
    latest_revision: int
    committed_revision: int
    deleted: bool
    latest_task_id: TaskId
    latest_task_state: TaskState
    latest_task_kind: TaskKind
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    chunks: int | None
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True)
class FoundDocument:
    """A document that came into the stores by another way than an upload."""

    doc_id: DocumentId
    file_name: str
    size_bytes: int
    sha256: str
    """Of its text as UTF-8: the same text under the same id is no news."""
    chunks: int
    created_at_ms: int


@dataclass(frozen=True)
class NewUpload:
    """Bytes that are durable in the object store and want to become a revision."""

    workspace: WorkspaceName
    doc_id: DocumentId
    object_key: ObjectKey
    file_name: str
    content_type: str
    size_bytes: int
    sha256: str
    idempotency_key: str | None
    request_id: str | None


@dataclass(frozen=True)
class Accepted:
    """The task that stands for an upload; `created` is False when it stood there already."""

    task: Task
    created: bool


@dataclass(frozen=True)
class Lease:
    """The right to work on one task or batch until `until_ms` (database time)."""

    holder: str
    token: int
    until_ms: int


class LeaseStatus(StrEnum):
    """What became of a lease when its holder asked to keep it."""

    HELD = "held"
    CANCEL_REQUESTED = "cancel_requested"
    """Still held, but somebody wants the work to stop: confirm_cancel."""
    LOST = "lost"
    """Taken over, superseded, cancelled or removed: drop everything, write nothing."""


@dataclass(frozen=True)
class Claim:
    """A task as it was when its prepare stage was claimed, and the lease on it."""

    task: Task
    lease: Lease


@dataclass(frozen=True)
class NewBatch:
    """Consecutive chunks that wait to be extracted; `chunks` is compressed JSON."""

    index: int
    chunk_count: int
    chunks: bytes


@dataclass(frozen=True)
class DoneBatch:
    """Consecutive chunks that were extracted on the spot."""

    index: int
    chunk_count: int
    chunks: bytes
    result: bytes


@dataclass(frozen=True)
class BatchKey:
    """Which batch: of which task, cut by which prepare attempt, at which place."""

    task_id: TaskId
    prepare_attempt: int
    index: int


@dataclass(frozen=True)
class BatchClaim:
    """The right to extract one batch."""

    task_id: TaskId
    prepare_attempt: int
    index: int
    lease: Lease
    strikes: int
    """How many attempts at this batch ended in a crash or an unforeseen error."""


@dataclass(frozen=True)
class Batch:
    """Some consecutive chunks of one task; `chunks` and `result` are compressed JSON."""

    task_id: TaskId
    prepare_attempt: int
    index: int
    chunk_count: int
    chunks: bytes
    result: bytes | None
    done: bool


@dataclass(frozen=True)
class CommitLease:
    """The right to write one workspace; every taker gets a higher token."""

    workspace: WorkspaceName
    physical: PhysicalWorkspace
    holder: str
    token: int


@dataclass(frozen=True)
class GroupBounds:
    """How much one group may hold; it always holds at least one task."""

    tasks: int
    chunks: int


@dataclass(frozen=True)
class Outcome:
    """What becomes of the tasks of a journal when it is applied."""

    succeeded: list[TaskId] = field(default_factory=list)
    advanced: dict[TaskId, int] = field(default_factory=dict)
    """Large documents, and how many of their chunks are in the graph then."""
    failed: dict[TaskId, tuple[str, str]] = field(default_factory=dict)
    """Large documents given up half-way, whose parts the journal removes; code and sentence."""

    @property
    def task_ids(self) -> list[TaskId]:
        """All tasks of the journal."""
        return [*self.succeeded, *self.advanced, *self.failed]


@dataclass(frozen=True)
class Journal:
    """One redo journal of a workspace; numbers grow by one, so a store can say what it holds."""

    physical: PhysicalWorkspace
    seq: int
    outcome: Outcome
    size_bytes: int


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows and the cursor that continues after them (None: that was all)."""

    rows: list[Row]
    cursor: str | None
