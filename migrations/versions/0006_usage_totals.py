"""The totals of model calls, without the accounts of millions of tasks between them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    totals = sa.text("task_id = ''")
    op.create_index(
        "ix_model_usage_totals",
        "model_usage",
        ["day", "workspace", "model", "purpose"],
        postgresql_where=totals,
        sqlite_where=totals,
    )


def downgrade() -> None:
    op.drop_index("ix_model_usage_totals", "model_usage")
