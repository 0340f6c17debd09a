"""The numbers by which a budget is kept; both books obey the same ones."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rules:
    """How fast things expire, shrink and recover; times in milliseconds."""

    holder_ttl: int = 15_000
    """A process that was silent for so long is dead, and what it held is free."""
    want_ttl: int = 2_000
    """Callers that nobody asked for again for so long do not wait any more."""
    cut_pause: int = 5_000
    """The limit is halved at most once in this time: one burst of refusals is one message."""
    recovery: int = 60_000
    """From nothing to the whole limit; it grows evenly."""
    first_backoff: int = 1_000
    """The pause when the endpoint does not name one; it doubles with every refusal after it."""
    longest_backoff: int = 30_000
    longest_pause: int = 600_000
    """Some ask for a day; looking earlier costs one call."""
    unauthorized_pause: int = 60_000
    """How often a refused key is tried again: somebody may have mended it."""
    kept: int = 3_600_000
    """How long Redis keeps a model's account when nobody calls it; more than any recovery."""
    burst_parts: int = 12
    """A twelfth of the minute's allowance (five seconds' worth) may be used at once."""


RULES = Rules()


# More than any fleet uses in a day, and small enough to be counted to the last token.
_ENDLESS = 1e15


@dataclass
class Allowance:
    """One allowance a minute as a bucket: it fills evenly, and holds a burst at most."""

    per_minute: int
    capacity: float = field(init=False)
    per_ms: float = field(init=False)

    def __post_init__(self) -> None:
        if not self.per_minute:
            # Full again in a moment: a limit that is set later must not find it used up.
            self.capacity = self.per_ms = _ENDLESS
            return
        self.capacity = max(1.0, self.per_minute // RULES.burst_parts)
        # Such that no minute, wherever it begins, sees more than the allowance.
        self.per_ms = (self.per_minute - self.capacity + 1) / 60_000


def reserved(limit: int, share: float) -> int:
    """Return how many of `limit` slots only queries may use."""
    return max(1, int(limit * share)) if share > 0 and limit > 1 else 0
