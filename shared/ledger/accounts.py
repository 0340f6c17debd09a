"""What model calls took, and on whose account: values of the ledger's usage."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """What some model calls took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True)
class UsageKey:
    """An account of model calls; an empty `task_id` is that of all calls of a day."""

    workspace: str
    task_id: str
    model: str
    purpose: str
    day: str
    """In UTC, as `2026-11-24`."""


@dataclass(frozen=True)
class UsageRow:
    """What was used; `day` and `workspace` are empty where it is a sum over them."""

    day: str
    workspace: str
    model: str
    purpose: str
    used: Usage
