"""What was found in a workspace, and what of it a source would bring once more."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.ids import PhysicalWorkspace

Pair = tuple[str, str]


@dataclass
class Names:
    """What a source holds, by name: looked for in a target."""

    documents: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    relations: set[Pair] = field(default_factory=set)
    """In the order of names: a relation has no direction."""


@dataclass(frozen=True)
class Amount:
    """How much of something there is."""

    count: int
    size_bytes: int | None = None
    """None: the store does not tell."""


@dataclass(frozen=True)
class Census:
    """A workspace as it is."""

    physical: PhysicalWorkspace | None = None
    """Its name in the stores; None: there is no such workspace."""
    documents: int = 0
    """So many are listed."""
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    """By section, as a source names them; nothing stands for 0."""
    shared: Mapping[str, list[str]] = field(default_factory=dict)
    """Documents, entities and relations that the source has, too: some hundreds of names at most
    are kept, see `shared_counts`."""
    shared_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours or of LightRAG's is there."""
        return not self.documents and not any(one.count for one in self.amounts.values())


class Shared:
    """Collects what is on both sides; counts all, keeps the first names."""

    _KEPT = 200

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.counts: dict[str, int] = {}

    def add(self, section: str, names: list[str]) -> None:
        """Count some that were found."""
        kept = self.names.setdefault(section, [])
        kept.extend(names[: self._KEPT - len(kept)])
        self.counts[section] = self.counts.get(section, 0) + len(names)
