"""Edits of the graph: a kind of task of their own, and what they change."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace_kinds("'insert', 'delete', 'edit', 'drop_workspace'", column=True)


def downgrade() -> None:
    op.execute("DELETE FROM tasks WHERE kind = 'edit'")
    _replace_kinds("'insert', 'delete', 'drop_workspace'", column=False)


def _replace_kinds(kinds: str, *, column: bool) -> None:
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_constraint("ck_tasks_kind", type_="check")
        tasks.create_check_constraint("ck_tasks_kind", f"kind IN ({kinds})")
        if column:
            tasks.add_column(sa.Column("payload", sa.JSON()))
        else:
            tasks.drop_column("payload")
