"""The ledger's tables and the indices that claiming and sweeping live on."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _partial(name: str, *columns: Column[object], where: str, unique: bool = False) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=unique, postgresql_where=condition, sqlite_where=condition)


def _counter(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _moment(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=false())


def _lease() -> list[Column[object]]:
    return [
        Column("lease_holder", Text),
        Column("lease_token", BigInteger, nullable=False, server_default=text("0")),
        Column("lease_until_ms", BigInteger),
    ]


def _message_sent_at_ms() -> Column[int]:
    # 0 = never, so that one comparison finds the unsent and the long unsent alike.
    return Column("message_sent_at_ms", BigInteger, nullable=False, server_default=text("0"))


workspaces = Table(
    "workspaces",
    metadata,
    Column("name", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    _text("state"),  # active, deleting, dropped (kept, so that generations only grow)
    _text("embedding_model", nullable=True),
    Column("embedding_dim", Integer),
    _moment("created_at_ms", nullable=False),
    CheckConstraint("state IN ('active', 'deleting', 'dropped')", name="state"),
)

# Apart from workspaces: uploads lock that row for sharing and would keep heartbeats waiting.
commit_leases = Table(
    "commit_leases",
    metadata,
    Column("workspace", Text, ForeignKey("workspaces.name"), primary_key=True),
    *_lease(),
    Column("last_commit_at_ms", BigInteger, nullable=False, server_default=text("0")),
)
# A unique index on the token makes raising it a change of a key: transactions that fence their
# writes with FOR KEY SHARE keep takers waiting, but not the heartbeat, which changes no key.
Index(
    "uq_commit_leases_token",
    commit_leases.c.workspace,
    commit_leases.c.lease_token,
    unique=True,
)

documents = Table(
    "documents",
    metadata,
    Column("workspace", Text, ForeignKey("workspaces.name"), primary_key=True),
    Column("doc_id", Text, primary_key=True),
    _counter("latest_revision"),
    _counter("committed_revision"),
    _flag("deleted"),
    _text("latest_task_id", nullable=True),
    _text("committed_task_id", nullable=True),
    _text("file_name"),
    _text("content_type"),
    Column("size_bytes", BigInteger, nullable=False),
    _text("sha256"),
    Column("chunks", Integer),
    _moment("created_at_ms", nullable=False),
    _moment("updated_at_ms", nullable=False),
    CheckConstraint("committed_revision <= latest_revision", name="revisions"),
)

_TASK_STATES = (
    "'queued', 'preparing', 'extracting', 'ready', 'committing', "
    "'succeeded', 'failed', 'cancelled', 'superseded'"
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace", Text, ForeignKey("workspaces.name"), nullable=False),
    _text("physical"),
    _text("kind"),
    _text("doc_id", nullable=True),
    _counter("revision"),
    _text("state"),
    _counter("attempt"),
    _counter("strikes"),
    *_lease(),
    Column("commit_token", BigInteger, nullable=False, server_default=text("0")),
    _flag("cancel_requested"),
    Column("chunks_total", Integer),
    _counter("chunks_done"),
    _counter("open_batches"),
    _counter("prepare_attempt"),
    # A document of more chunks than one group holds is committed in slices: where the next begins.
    _counter("committed_chunks"),
    _text("object_key", nullable=True),
    _text("file_name"),
    _text("content_type"),
    Column("size_bytes", BigInteger, nullable=False),
    _text("sha256"),
    _text("error_code", nullable=True),
    _text("error_detail", nullable=True),
    _text("request_id", nullable=True),
    _text("trace_parent", nullable=True),
    Column("payload", JSON),  # what an edit changes
    _moment("created_at_ms", nullable=False),
    _moment("updated_at_ms", nullable=False),
    _moment("started_at_ms"),
    _moment("ready_at_ms"),
    _moment("finished_at_ms"),
    _moment("next_attempt_at_ms"),
    _message_sent_at_ms(),
    CheckConstraint(f"state IN ({_TASK_STATES})", name="state"),
    CheckConstraint("kind IN ('insert', 'delete', 'edit', 'drop_workspace')", name="kind"),
    CheckConstraint(
        "attempt >= 0 AND strikes >= 0 AND chunks_done >= 0 AND open_batches >= 0", name="counters"
    ),
)
_OPEN = "state IN ('queued', 'preparing', 'extracting', 'ready')"
# The law that a document has one live revision, kept by the database itself.
_partial("uq_tasks_open", tasks.c.physical, tasks.c.doc_id, where=_OPEN, unique=True)
_partial("ix_tasks_unsent", tasks.c.message_sent_at_ms, where="state = 'queued'")
_partial("ix_tasks_leases", tasks.c.lease_until_ms, where="state = 'preparing'")
_partial(
    "ix_tasks_ready",
    tasks.c.workspace,
    tasks.c.ready_at_ms,
    tasks.c.id,
    where="state = 'ready'",
)
_partial(
    "ix_tasks_committing", tasks.c.workspace, tasks.c.commit_token, where="state = 'committing'"
)
_partial("ix_tasks_ended", tasks.c.finished_at_ms, where="finished_at_ms IS NOT NULL")
_partial("ix_tasks_object", tasks.c.object_key, where="object_key IS NOT NULL")
Index("ix_tasks_workspace", tasks.c.workspace, tasks.c.id)
Index("ix_tasks_document", tasks.c.workspace, tasks.c.doc_id, tasks.c.id)
Index("ix_tasks_state", tasks.c.state, tasks.c.id)

upload_keys = Table(
    "upload_keys",
    metadata,
    Column("physical", Text, primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("task_id", Text, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    _text("doc_id"),
    _text("sha256"),
)
Index("ix_upload_keys_task_id", upload_keys.c.task_id)

batches = Table(
    "batches",
    metadata,
    Column("task_id", Text, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("prepare_attempt", Integer, primary_key=True),
    Column("batch_index", Integer, primary_key=True),
    Column("chunk_count", Integer, nullable=False),
    Column("chunks", LargeBinary, nullable=False),
    Column("result", LargeBinary),
    _flag("done"),
    _counter("strikes"),
    *_lease(),
    _moment("next_attempt_at_ms"),
    _message_sent_at_ms(),
    _counter("chunks_done"),
)
_partial("ix_batches_unsent", batches.c.message_sent_at_ms, where="NOT done")
_partial("ix_batches_leases", batches.c.lease_until_ms, where="NOT done")

# The redo journal: what a group of commits leaves in LightRAG's stores, written down before any
# store is touched. One row a group; `outcome` says what becomes of its tasks when it is applied.
journals = Table(
    "journals",
    metadata,
    Column("physical", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("lease_token", BigInteger, nullable=False),
    Column("outcome", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    _moment("written_at_ms", nullable=False),
    _moment("closed_at_ms"),
)
_partial("ix_journals_open", journals.c.physical, where="closed_at_ms IS NULL", unique=True)
_partial("ix_journals_closed", journals.c.closed_at_ms, where="closed_at_ms IS NOT NULL")

journal_parts = Table(
    "journal_parts",
    metadata,
    Column("physical", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("operations", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["physical", "seq"],
        ["journals.physical", "journals.seq"],
        name="fk_journal_parts_journal",
        ondelete="CASCADE",
    ),
)

# Operations that no store takes, however often they are tried: kept for a person to look at.
quarantine = Table(
    "quarantine",
    metadata,
    Column("physical", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("operation", LargeBinary, nullable=False),
    _text("reason"),
    _moment("found_at_ms", nullable=False),
)

# What LightRAG's stores inside this database hold, changed in the transactions that change them.
applied_journals = Table(
    "applied_journals",
    metadata,
    Column("physical", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
# Each task's account, and under an empty task_id the totals of each day, which outlive the tasks.
model_usage = Table(
    "model_usage",
    metadata,
    Column("day", Text, primary_key=True),  # in UTC, such as 2026-11-24
    Column("workspace", Text, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
)
_partial("ix_model_usage_task_id", model_usage.c.task_id, where="task_id <> ''")
_partial(
    "ix_model_usage_totals",
    model_usage.c.day,
    model_usage.c.workspace,
    model_usage.c.model,
    model_usage.c.purpose,
    where="task_id = ''",
)
