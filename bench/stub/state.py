"""What the stub is told to do, and what it counted."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

# The usual rule of thumb for English; counting in earnest would take more CPU than all the rest.
BYTES_PER_TOKEN = 4


@dataclass
class Behaviour:
    """How calls are answered; POST /behaviour changes any of it."""

    chat_latency_s: float = 0.5
    embedding_latency_s: float = 0.05
    dimension: int = 384
    fail_every: int = 0
    """Every so many-th call fails; 0: none does."""
    fail_status: int = 429
    retry_after_s: float | None = None
    """Sent with failures; None: without the header."""

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named fields.

        Raises:
            KeyError: there is no field of a name.
        """
        for name, value in wanted.items():
            if name not in asdict(self):
                raise KeyError(name)
            setattr(self, name, value)


@dataclass
class Counts:
    """Calls since the last reset; chat calls and embedding calls are in flight apart."""

    calls: Counter[str] = field(default_factory=Counter)
    clients: dict[str, Counter[str]] = field(default_factory=dict)
    failed: int = 0
    texts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    in_flight: Counter[str] = field(default_factory=Counter)
    max_in_flight: Counter[str] = field(default_factory=Counter)
    arrived: int = 0

    def reset(self) -> None:
        """Forget everything but what is in flight now."""
        flying = self.in_flight
        self.__init__()  # type: ignore[misc] # the same object is in other hands
        self.in_flight = flying

    def enter(self, group: str) -> None:
        """Count a call in."""
        self.in_flight[group] += 1
        self.max_in_flight[group] = max(self.max_in_flight[group], self.in_flight[group])

    def leave(self, group: str) -> None:
        """Count a call out."""
        self.in_flight[group] -= 1

    def answered(self, kind: str, client: str) -> None:
        """Count an answer."""
        self.calls[kind] += 1
        self.clients.setdefault(client, Counter())[kind] += 1
