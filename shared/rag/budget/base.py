"""What a budget of model calls promises, and what its two halves say to each other.

A `Gate` in each process keeps the callers that wait; a `Book`, one for the fleet, says how many of
them may start. They exchange an `Order` and a `Grant`; every order states all that the process
holds, so that a lost answer or a killed process is put right by the next exchange or by time.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, Self

from shared.rag.calls import Urgency


class PauseReason(StrEnum):
    """Why nobody may call a model for a while."""

    NONE = ""
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Limits:
    """How much one model may be used by the whole fleet."""

    concurrency: int
    requests_per_minute: int = 0
    """0: unlimited."""
    tokens_per_minute: int = 0
    """0: unlimited."""
    query_share: float = 0.1
    """The part that only queries may use."""

    def divided_by(self, processes: int) -> Self:
        """Return one process's even part, never nothing."""

        def part(whole: int) -> int:
            return max(1, whole // processes) if whole else 0

        return replace(
            self,
            concurrency=part(self.concurrency),
            requests_per_minute=part(self.requests_per_minute),
            tokens_per_minute=part(self.tokens_per_minute),
        )


@dataclass(frozen=True)
class Refusal:
    """The endpoint refused a call in a way that concerns all calls."""

    reason: PauseReason
    pause_s: float | None = None
    """How long it asked us to wait; None when it did not say."""


@dataclass(frozen=True)
class Order:
    """What one process holds and wants."""

    holder: str
    queries: int = 0
    """Calls that run."""
    ingestion: int = 0
    query_tokens: tuple[int, ...] = ()
    """An estimate for each call that wants to start, in order of arrival."""
    ingestion_tokens: tuple[int, ...] = ()
    commits: int = 0
    """How many of them, counted from the first, a commit waits for."""
    correction: int = 0
    """How many tokens ended calls used beyond their estimates; negative when fewer."""
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Grant:
    """How many of the waiting calls may start now, and what to expect if not all."""

    queries: int
    ingestion: int
    pause_s: float
    """How long nobody in the fleet may start a call; 0: no pause."""
    pause_reason: PauseReason
    retry_s: float
    """When the minute's rest allows the next call; 0: that is not what it waits for."""
    limit: int
    """How many calls at once are allowed at present."""
    holders: int
    """How many processes hold or want something, this one included."""


class Book(Protocol):
    """Keeps the account of one model; see `memory` and `redis`."""

    async def exchange(self, order: Order) -> Grant:
        """Take note of what a process holds, and grant what it may start."""

    async def close(self) -> None:
        """Close what is open."""


class RunningCall(Protocol):
    """A call that was admitted."""

    def used(self, tokens: int) -> None:
        """Say how many tokens it really took."""

    def refused(self, refusal: Refusal) -> None:
        """Say that the endpoint refused it, on grounds that concern all calls."""


class ModelBudget(Protocol):
    """Admits the calls to one model."""

    def call(self, tokens: int, urgency: Urgency) -> AbstractAsyncContextManager[RunningCall]:
        """Wait for admission; the call runs inside the `async with` block.

        Args:
            tokens: an estimate of what it takes, prompt and answer.
            urgency: who goes first; a query may use the reserved share as well.

        Raises:
            ModelRateLimitedError: the endpoint wants a pause that is too long to wait here.
            ModelUnauthorizedError: the endpoint refused our key a moment ago.
            ModelUnavailableError: a query waited too long.
        """

    async def close(self) -> None:
        """Give everything back; nobody may call any more."""
