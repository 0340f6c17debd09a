"""The arithmetic of the figures."""

from collections.abc import Mapping, Sequence

# What an indexing run has to wait for; embeddings overlap with these.
_CHAT_KINDS = ("extract", "glean", "summary", "keywords", "answer")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not exceed (nearest rank).

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def model_bound_s(calls: Mapping[str, int], *, latency_s: float, concurrency: int) -> float:
    """Return how long the chat calls take when all places at the model are always taken."""
    return sum(calls.get(kind, 0) for kind in _CHAT_KINDS) * latency_s / concurrency


def ratio(part: float, whole: float) -> float | None:
    """Divide; None where there is nothing to divide by."""
    return round(part / whole, 3) if whole else None


def per_hour(count: int, wall_s: float) -> float:
    """Turn a count in some seconds into one in an hour."""
    return round(count * 3600 / wall_s, 1)
