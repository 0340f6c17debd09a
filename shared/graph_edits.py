"""What people may change in a graph by hand, as the ledger keeps it until it is committed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class EditOperation(StrEnum):
    """LightRAG's own functions for editing a graph."""

    CREATE_ENTITY = "create_entity"
    EDIT_ENTITY = "edit_entity"
    DELETE_ENTITY = "delete_entity"
    MERGE_ENTITIES = "merge_entities"
    CREATE_RELATION = "create_relation"
    EDIT_RELATION = "edit_relation"
    DELETE_RELATION = "delete_relation"


@dataclass(frozen=True)
class GraphEdit:
    """One change of a graph."""

    operation: EditOperation
    names: list[str] = field(hash=False)
    """The entity; or both ends of the relation; or the entities that are merged."""
    into: str | None = None
    """An entity's new name, or what entities are merged into."""
    fields: dict[str, Any] = field(default_factory=dict, hash=False)
    """The new values, by LightRAG's names for them."""

    @property
    def subject(self) -> str:
        """What it is about, for people."""
        about = (" ~ " if "relation" in self.operation else ", ").join(self.names)
        return about if self.into is None else f"{about} → {self.into}"

    def as_row(self) -> dict[str, Any]:
        """Return what JSON takes."""
        return asdict(self)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Self:
        """Read it back."""
        return cls(**{**row, "operation": EditOperation(row["operation"])})
