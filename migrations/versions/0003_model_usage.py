"""What model calls took: of each task, and of each day."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = ("day", "workspace", "task_id", "model", "purpose")
COUNTS = ("calls", "prompt_tokens", "completion_tokens")


def upgrade() -> None:
    op.create_table(
        "model_usage",
        *(sa.Column(name, sa.Text(), nullable=False) for name in KEY),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint(*KEY, name="pk_model_usage"),
    )
    of_tasks = sa.text("task_id <> ''")
    op.create_index(
        "ix_model_usage_task_id",
        "model_usage",
        ["task_id"],
        postgresql_where=of_tasks,
        sqlite_where=of_tasks,
    )


def downgrade() -> None:
    op.drop_table("model_usage")
