"""The first schema: workspaces, documents, tasks, batches, leases and upload keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ZERO = sa.text("0")


def upgrade() -> None:
    _create_workspaces()
    _create_commit_leases()
    _create_documents()
    _create_tasks()
    _create_batches()
    _create_upload_keys()


def downgrade() -> None:
    for table in ("upload_keys", "batches", "tasks", "documents", "commit_leases", "workspaces"):
        op.drop_table(table)


def _partial_index(
    name: str, table: str, columns: list[str], *, where: str, unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition
    )


def _create_workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("embedding_model", sa.Text()),
        sa.Column("embedding_dim", sa.Integer()),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'deleting', 'dropped')", name="ck_workspaces_state"
        ),
        sa.PrimaryKeyConstraint("name", name="pk_workspaces"),
    )


def _create_commit_leases() -> None:
    op.create_table(
        "commit_leases",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("lease_holder", sa.Text()),
        sa.Column("lease_token", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("last_commit_at_ms", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.name"], name="fk_commit_leases_workspace"
        ),
        sa.PrimaryKeyConstraint("workspace", name="pk_commit_leases"),
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("doc_id", sa.Text(), nullable=False),
        sa.Column("latest_revision", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("committed_revision", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("latest_task_id", sa.Text()),
        sa.Column("committed_task_id", sa.Text()),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("chunks", sa.Integer()),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("committed_revision <= latest_revision", name="ck_documents_revisions"),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name="fk_documents_workspace"),
        sa.PrimaryKeyConstraint("workspace", "doc_id", name="pk_documents"),
    )


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("physical", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("doc_id", sa.Text()),
        sa.Column("revision", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("lease_holder", sa.Text()),
        sa.Column("lease_token", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("commit_token", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("chunks_total", sa.Integer()),
        sa.Column("chunks_done", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("open_batches", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("prepare_attempt", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("object_key", sa.Text()),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_detail", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger()),
        sa.Column("ready_at_ms", sa.BigInteger()),
        sa.Column("finished_at_ms", sa.BigInteger()),
        sa.Column("next_attempt_at_ms", sa.BigInteger()),
        sa.Column("message_sent_at_ms", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.CheckConstraint("kind IN ('insert', 'delete', 'drop_workspace')", name="ck_tasks_kind"),
        sa.CheckConstraint(
            "state IN ('queued', 'preparing', 'extracting', 'ready', 'committing', "
            "'succeeded', 'failed', 'cancelled', 'superseded')",
            name="ck_tasks_state",
        ),
        sa.CheckConstraint(
            "attempt >= 0 AND strikes >= 0 AND chunks_done >= 0 AND open_batches >= 0",
            name="ck_tasks_counters",
        ),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name="fk_tasks_workspace"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    _partial_index(
        "ix_tasks_ready", "tasks", ["workspace", "ready_at_ms", "id"], where="state = 'ready'"
    )
    _partial_index(
        "ix_tasks_committing",
        "tasks",
        ["workspace", "commit_token"],
        where="state = 'committing'",
    )
    op.create_index("ix_tasks_document", "tasks", ["workspace", "doc_id", "id"])
    _partial_index(
        "ix_tasks_ended", "tasks", ["finished_at_ms"], where="finished_at_ms IS NOT NULL"
    )
    _partial_index("ix_tasks_leases", "tasks", ["lease_until_ms"], where="state = 'preparing'")
    _partial_index("ix_tasks_object", "tasks", ["object_key"], where="object_key IS NOT NULL")
    op.create_index("ix_tasks_state", "tasks", ["state", "id"])
    _partial_index("ix_tasks_unsent", "tasks", ["message_sent_at_ms"], where="state = 'queued'")
    op.create_index("ix_tasks_workspace", "tasks", ["workspace", "id"])
    _partial_index(
        "uq_tasks_open",
        "tasks",
        ["physical", "doc_id"],
        where="state IN ('queued', 'preparing', 'extracting', 'ready')",
        unique=True,
    )


def _create_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("prepare_attempt", sa.Integer(), nullable=False),
        sa.Column("batch_index", sa.Integer(), nullable=False),
        sa.Column("chunk_count", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.LargeBinary(), nullable=False),
        sa.Column("result", sa.LargeBinary()),
        sa.Column("done", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("lease_holder", sa.Text()),
        sa.Column("lease_token", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("lease_until_ms", sa.BigInteger()),
        sa.Column("next_attempt_at_ms", sa.BigInteger()),
        sa.Column("message_sent_at_ms", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_batches_task_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "prepare_attempt", "batch_index", name="pk_batches"),
    )
    _partial_index("ix_batches_leases", "batches", ["lease_until_ms"], where="NOT done")
    _partial_index("ix_batches_unsent", "batches", ["message_sent_at_ms"], where="NOT done")


def _create_upload_keys() -> None:
    op.create_table(
        "upload_keys",
        sa.Column("physical", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("doc_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_upload_keys_task_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("physical", "idempotency_key", name="pk_upload_keys"),
    )
    op.create_index("ix_upload_keys_task_id", "upload_keys", ["task_id"])
