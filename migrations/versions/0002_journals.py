"""The group commit: redo journals, slices of large documents, tokens that fence."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tasks",
        sa.Column("committed_chunks", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_index(
        "uq_commit_leases_token", "commit_leases", ["workspace", "lease_token"], unique=True
    )
    _create_journals()
    op.create_table(
        "quarantine",
        *_of_a_journal(),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("operation", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("found_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("physical", "seq", "digest", name="pk_quarantine"),
    )
    op.create_table(
        "applied_journals",
        *_of_a_journal(),
        sa.PrimaryKeyConstraint("physical", name="pk_applied_journals"),
    )


def downgrade() -> None:
    for table in ("applied_journals", "quarantine", "journal_parts", "journals"):
        op.drop_table(table)
    op.drop_index("uq_commit_leases_token", "commit_leases")
    op.drop_column("tasks", "committed_chunks")


def _of_a_journal() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("physical", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )


def _create_journals() -> None:
    op.create_table(
        "journals",
        *_of_a_journal(),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("written_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("physical", "seq", name="pk_journals"),
    )
    for name, column, where, unique in (
        ("ix_journals_open", "physical", "closed_at_ms IS NULL", True),
        ("ix_journals_closed", "closed_at_ms", "closed_at_ms IS NOT NULL", False),
    ):
        condition = sa.text(where)
        op.create_index(
            name,
            "journals",
            [column],
            unique=unique,
            postgresql_where=condition,
            sqlite_where=condition,
        )
    op.create_table(
        "journal_parts",
        *_of_a_journal(),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("operations", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["physical", "seq"],
            ["journals.physical", "journals.seq"],
            name="fk_journal_parts_journal",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("physical", "seq", "part", name="pk_journal_parts"),
    )
