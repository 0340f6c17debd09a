"""The gate of one process: callers wait here, and one loop speaks for all of them with the book."""

import asyncio
import contextvars
import random
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from time import perf_counter

from shared.errors import (
    ModelRateLimitedError,
    ModelUnauthorizedError,
    ModelUnavailableError,
)
from shared.metrics.models import ADMISSION_WAIT
from shared.rag.budget.base import Book, Grant, Order, PauseReason, Refusal
from shared.rag.budget.rules import RULES
from shared.rag.calls import Urgency

# Often enough that no other process takes us for dead.
_HEARTBEAT_S = RULES.holder_ttl / 1000 / 3
# Those who wait ask again before the book forgets that they do.
_LONGEST_REST_S = RULES.want_ttl / 1000 / 2
# How often the book is asked again while callers wait and no call of ours ends: from, to.
_SHORTEST_POLL_S = 0.015
_LONGEST_POLL_S = 0.25
# A process whose call ended soon starts the next one: then one exchange serves both.
_LINGER_S = 0.02
# More than this at once would only make the orders long.
_LONGEST_ORDER = 64
# A person waits for a query; a task may as well wait here as in the ledger, for a while.
_PATIENCE_S = {Urgency.QUERY: 5.0, Urgency.COMMIT: 30.0, Urgency.REST: 30.0}
_LONGEST_QUERY_WAIT_S = 30.0
_ERRORS: dict[PauseReason, type[ModelUnavailableError]] = {
    PauseReason.RATE_LIMITED: ModelRateLimitedError,
    PauseReason.UNAUTHORIZED: ModelUnauthorizedError,
}


@dataclass(eq=False)
class _Waiter:
    tokens: int
    admitted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


@dataclass
class _Call:
    """See `RunningCall`."""

    tokens: int
    refusal: Refusal | None = None

    def used(self, tokens: int) -> None:
        self.tokens = tokens

    def refused(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Gate:
    """See `ModelBudget`; belongs to the event loop that first used it."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._holder = secrets.token_hex(6)
        self._waiting: dict[Urgency, deque[_Waiter]] = {urgency: deque() for urgency in Urgency}
        self._running = dict.fromkeys(Urgency, 0)
        self._correction = 0
        self._refusal: Refusal | None = None
        self._untold = False
        """Whether something ended since the last order."""
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._is_closed = False

    @asynccontextmanager
    async def call(self, tokens: int, urgency: Urgency) -> AsyncIterator[_Call]:
        """Wait for admission; see `ModelBudget.call`."""
        began_at_s = perf_counter()
        await self._admission(tokens, urgency)
        ADMISSION_WAIT.labels(urgency.name.lower()).observe(perf_counter() - began_at_s)
        call = _Call(tokens)
        try:
            yield call
        finally:
            self._refusal = call.refusal or self._refusal
            self._end(urgency, tokens_more=call.tokens - tokens)

    async def close(self) -> None:
        """Give everything back; nobody may call any more."""
        # Calls that end later say nothing any more: they were given back already.
        self._is_closed = True
        for queue in self._waiting.values():
            _turn_away(queue, ModelUnavailableError)
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
            with suppress(Exception):  # it expires
                await self._book.exchange(Order(self._holder))
        await self._book.close()

    async def _admission(self, tokens: int, urgency: Urgency) -> None:
        if self._is_closed:
            raise ModelUnavailableError
        waiter = _Waiter(tokens)
        queue = self._waiting[urgency]
        if not queue or urgency is Urgency.QUERY:
            # Who comes behind others learns nothing by asking.
            self._wake.set()
        queue.append(waiter)
        self._keep_looping()
        try:
            if urgency is not Urgency.QUERY:
                await waiter.admitted
                return
            async with asyncio.timeout(_LONGEST_QUERY_WAIT_S):
                await waiter.admitted
        except TimeoutError:
            self._withdraw(waiter, urgency)
            raise ModelUnavailableError from None
        except asyncio.CancelledError:
            self._withdraw(waiter, urgency)
            raise

    def _withdraw(self, waiter: _Waiter, urgency: Urgency) -> None:
        admitted = waiter.admitted
        if admitted.done() and not admitted.cancelled() and admitted.exception() is None:
            self._end(urgency, tokens_more=-waiter.tokens)
        admitted.cancel()

    def _end(self, urgency: Urgency, *, tokens_more: int) -> None:
        self._running[urgency] -= 1
        self._correction += tokens_more
        self._untold = True
        self._wake.set()
        self._keep_looping()

    def _keep_looping(self) -> None:
        if not self._is_closed and (self._loop is None or self._loop.done()):
            # In an empty context: it serves others than the one whose call begins it.
            self._loop = asyncio.create_task(self._speak_with_book(), context=contextvars.Context())

    def _is_busy(self) -> bool:
        return self._untold or any(self._running.values()) or any(self._waiting.values())

    async def _speak_with_book(self) -> None:
        poll_s = _SHORTEST_POLL_S
        try:
            while self._is_busy():
                await self._linger()
                self._wake.clear()
                grant = await self._exchange()
                if grant.queries or grant.ingestion:
                    poll_s = _SHORTEST_POLL_S
                await self._rest(self._rest_s(grant, poll_s))
                poll_s = min(poll_s * 1.5, _LONGEST_POLL_S)
        except Exception as error:
            # A bug of ours: it must reach callers, who would otherwise wait for ever.
            for queue in self._waiting.values():
                _turn_away(queue, partial(copy, error))
            raise

    async def _linger(self) -> None:
        """Let others of this moment join the order; with nobody waiting, a little longer."""
        await asyncio.sleep(0)
        if self._refusal is None and not any(self._waiting.values()):
            self._wake.clear()
            await self._rest(_LINGER_S)

    async def _rest(self, longest_s: float) -> None:
        if longest_s > 0 and not self._wake.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(longest_s):
                    await self._wake.wait()

    def _rest_s(self, grant: Grant, poll_s: float) -> float:
        if not any(self._waiting.values()):
            return _HEARTBEAT_S if any(self._running.values()) else 0.0
        # Not in step with the other processes of the fleet.
        jitter = 1 + random.random() / 2  # noqa: S311 - not a secret
        known_s = max(grant.pause_s, grant.retry_s)
        return min(max(known_s, poll_s) * jitter, _LONGEST_REST_S)

    async def _exchange(self) -> Grant:
        queries, commits, rest = (self._first_in_line(urgency) for urgency in Urgency)
        ingestion = list(islice(chain(commits, rest), _LONGEST_ORDER))
        order = Order(
            holder=self._holder,
            queries=self._running[Urgency.QUERY],
            ingestion=self._running[Urgency.COMMIT] + self._running[Urgency.REST],
            query_tokens=tuple(waiter.tokens for waiter in queries),
            ingestion_tokens=tuple(waiter.tokens for waiter in ingestion),
            commits=len(commits),
            correction=self._correction,
            refusal=self._refusal,
        )
        self._correction, self._refusal, self._untold = 0, None, False
        grant = await self._book.exchange(order)
        self._admit(queries[: grant.queries], Urgency.QUERY)
        self._admit(commits[: grant.ingestion], Urgency.COMMIT)
        self._admit(rest[: max(0, grant.ingestion - len(commits))], Urgency.REST)
        if grant.pause_s > 0:
            self._turn_away_impatient(grant)
        return grant

    def _first_in_line(self, urgency: Urgency) -> list[_Waiter]:
        queue = self._waiting[urgency]
        while queue and queue[0].admitted.done():
            queue.popleft()
        first = islice(queue, _LONGEST_ORDER)
        return [waiter for waiter in first if not waiter.admitted.done()]

    def _admit(self, waiters: list[_Waiter], urgency: Urgency) -> None:
        for waiter in waiters:
            self._running[urgency] += 1
            if waiter.admitted.done():  # it went away while we asked
                self._end(urgency, tokens_more=-waiter.tokens)
            else:
                waiter.admitted.set_result(None)
        self._first_in_line(urgency)

    def _turn_away_impatient(self, grant: Grant) -> None:
        """Let those go for whom the pause is too long; a refused key is nothing to wait for."""
        unauthorized = grant.pause_reason is PauseReason.UNAUTHORIZED
        error = _ERRORS.get(grant.pause_reason, ModelUnavailableError)
        for urgency, queue in self._waiting.items():
            if unauthorized or grant.pause_s > _PATIENCE_S[urgency]:
                _turn_away(queue, lambda: error(retry_after_s=grant.pause_s))


def _turn_away(queue: deque[_Waiter], error: Callable[[], Exception]) -> None:
    for waiter in queue:
        if not waiter.admitted.done():
            waiter.admitted.set_exception(error())
    queue.clear()
