"""The table of holds, and the conditions that others put into their statements."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Table,
    Text,
    exists,
    or_,
)

from shared.ids import PhysicalWorkspace, WorkspaceName
from shared.ledger.clock import now_ms
from shared.ledger.tables import journals, metadata

# Few rows at any time: people's pauses, and copies that run just now.
holds = Table(
    "holds",
    metadata,
    Column("workspace", Text, ForeignKey("workspaces.name"), primary_key=True),
    Column("holder", Text, primary_key=True),
    Column("physical", Text, nullable=False),
    Column("until_ms", BigInteger),  # null: until a person ends it
    Column("stops_commits", Boolean, nullable=False),
    Column("kept_after_seq", BigInteger),  # null: journals are kept no longer than others
)


@dataclass(frozen=True)
class Hold:
    """What a tool asked of a workspace, for as long as it renews it."""

    workspace: WorkspaceName
    physical: PhysicalWorkspace
    holder: str
    after_seq: int | None
    """Journals after this one are kept; None: no longer than others."""


def lives() -> ColumnElement[bool]:
    """Return the condition that a hold has not run out."""
    return or_(holds.c.until_ms.is_(None), holds.c.until_ms > now_ms())


def is_paused(workspace: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that no group may be begun in a workspace."""
    return exists().where(holds.c.workspace == workspace, holds.c.stops_commits, lives())


def is_kept() -> ColumnElement[bool]:
    """Return the condition that a journal is kept for somebody who copies its workspace."""
    return exists().where(
        holds.c.physical == journals.c.physical,
        holds.c.kept_after_seq < journals.c.seq,
        lives(),
    )
