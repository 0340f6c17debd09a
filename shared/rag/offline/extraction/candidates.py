"""A name found in a passage, and where: what the finders give and relations are made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a name stands: the number of its sentence, and its first and last character there."""

    sentence: int
    start: int
    end: int


@dataclass(slots=True)
class Candidate:
    """A possible entity: its type is one of LightRAG's default type names."""

    name: str
    entity_type: str
    places: list[Place] = field(default_factory=list)
    bonus: float = 0.0

    @property
    def score(self) -> float:
        """Say how much the name matters to the passage: how often it is there, and its bonus."""
        return len(self.places) + self.bonus


def best(candidates: Iterable[Candidate], limit: int) -> list[Candidate]:
    """Return the highest scored candidates, in the order in which they appear in the text."""
    ranked = sorted(candidates, key=lambda one: (-one.score, one.places[0], one.name))
    return sorted(ranked[:limit], key=lambda one: (one.places[0], one.name))
