"""One set of properties out of several that describe the same entity or relation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Properties = dict[str, Any]
_SEPARATOR = "<SEP>"  # LightRAG joins with it what several passages say
_JOINED = ("source_id", "file_path", "description")


def merged_entities(copies: Sequence[Properties]) -> Properties:
    """Say all that the copies of one entity say; its type is the one most of them give."""
    return _merged(copies) | _most_common(copies, "entity_type")


def merged_relations(copies: Sequence[Properties]) -> Properties:
    """Say all that several relations between the same two entities say."""
    words = (text.split(",") for text in _texts(copies, "keywords"))
    keywords = {word.strip() for group in words for word in group if word.strip()}
    merged = _merged(copies)
    if keywords:
        merged["keywords"] = ",".join(sorted(keywords))
    if any("weight" in copy for copy in copies):
        merged["weight"] = _weight(copies)
    return merged


def _merged(copies: Sequence[Properties]) -> Properties:
    merged: Properties = {}
    for copy in reversed(copies):
        merged |= copy
    for name in _JOINED:
        parts = (part for text in _texts(copies, name) for part in text.split(_SEPARATOR))
        if joined := _SEPARATOR.join(dict.fromkeys(part for part in parts if part)):
            merged[name] = joined
    if times := [copy["created_at"] for copy in copies if copy.get("created_at") is not None]:
        merged["created_at"] = min(times)
    return merged


def _weight(copies: Sequence[Properties]) -> float:
    """Add up what different passages contributed, once each.

    One write between copies of entities left the same relation many times, and a later one a
    relation that knows everything of an earlier one: those count once.
    """
    weights: dict[frozenset[str], float] = {}
    for copy in copies:
        sources = frozenset(str(copy.get("source_id", "")).split(_SEPARATOR))
        weights[sources] = max(weights.get(sources, 0.0), float(copy.get("weight", 1.0)))
    return sum(
        weight for sources, weight in weights.items() if not any(sources < s for s in weights)
    )


def _most_common(copies: Iterable[Properties], name: str) -> Properties:
    counted = Counter(_texts(copies, name))
    return {name: counted.most_common(1)[0][0]} if counted else {}


def _texts(copies: Iterable[Properties], name: str) -> list[str]:
    return [str(copy[name]) for copy in copies if copy.get(name)]
