"""Holds on workspaces: nothing is committed for a while, journals are kept for a copy."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("physical", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger()),
        sa.Column("stops_commits", sa.Boolean(), nullable=False),
        sa.Column("kept_after_seq", sa.BigInteger()),
        sa.PrimaryKeyConstraint("workspace", "holder", name="pk_holds"),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.name"], name="fk_holds_workspace"),
    )


def downgrade() -> None:
    op.drop_table("holds")
